import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Scratch } from "../support/cli.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { runWithMount } from "../support/mounts.ts";

kernelTest(
  "maps pinned in a bpffs live on, are opened again, and go with their file",
  { command: "unshare" },
  async () => {
    using scratch = new Scratch();
    const folder = scratch.file("bpffs");
    mkdirSync(folder);
    const { code, stdout, stderr } = await runWithMount("pinned", "bpf", folder, folder);
    assert.deepEqual([code, stdout], [0, "done\n"], stderr);
  },
);

kernelTest(
  "maps of an object that are pinned by name are found again by the next load",
  { command: "unshare" },
  async () => {
    using scratch = new Scratch();
    const folder = scratch.file("bpffs");
    mkdirSync(folder);
    const object = fileURLToPath(new URL("../../../test/fixtures/objects/maps.el.o", import.meta.url));
    const { code, stdout, stderr } = await runWithMount("pinned-object", "bpf", folder, folder, object);
    assert.deepEqual([code, stdout], [0, "done\n"], stderr);
  },
);
