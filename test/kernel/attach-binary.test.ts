// Files that uprobes and USDT probes are put into, by what people call them: libraries and programs by bare names, in other
// mount namespaces, replaced since they were loaded, stripped of their symbols.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findSymbols } from "../../src/object/elf/index.ts";
import { addressesInProcess } from "../../src/runtime/link/process-maps.ts";
import {
  attachUprobe,
  attachUprobeMulti,
  attachUsdt,
  findBinary,
  loadObject,
  usdtProbes,
} from "../../src/sdk/index.ts";
import { countingObject } from "../support/attach-programs.ts";
import { conversation } from "../support/conversation.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";

const uprobes = { attach: "uprobes" } as const;
const symbol = "skep_probed";
const LIBRARY = "libskepprobed.so.1";

async function inFolder(body: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "skep-binary-")));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const load = () => loadObject(countingObject({ type: "kprobe", own: false }));
type Loaded = ReturnType<typeof load>;

/** Where the library's function is in its file. */
function probedOffset(): number {
  const bytes = readFileSync(fixture("libskepprobed"));
  const found = findSymbols((at, length) => bytes.subarray(at, at + length), new Set([symbol])).get(symbol);
  assert.ok(found !== undefined);
  return found.fileOffset;
}

const count = (object: Loaded) => Number(object.maps.counts.get(0)?.[0]);

kernelTest("a library that a process has loaded is found by its bare name", uprobes, async () => {
  using object = load();
  await conversation([fixture("probed")], async (pid, say) => {
    // The program flushes its output once for each line.
    for (const name of ["libc", "c", "libc.so.6"]) {
      const before = count(object);
      using link = attachUprobe(object.programs.p, { path: name, symbol: "fflush", pid });
      await say("");
      await say("");
      assert.equal(count(object) - before, 2, name);
      link.close();
      await say("");
      assert.equal(count(object) - before, 2, name);
    }
    using _own = attachUprobe(object.programs.p, { path: "probed", symbol: "probed", pid });
    const before = count(object);
    await say("");
    assert.equal(count(object) - before, 1);
  });
});

kernelTest(
  "a library that only a container sees is found in it",
  { ...uprobes, command: ["unshare", "mount"] },
  async () => {
    await inFolder(async (folder) => {
      using object = load();
      const library = join(folder, LIBRARY);
      const script = `mount -t tmpfs none "$1" && cp "$2" "$1/${LIBRARY}" && exec "$3" "$1/${LIBRARY}"`;
      const shell = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        folder,
        fixture("libskepprobed"),
        fixture("loader"),
      ];
      await conversation(shell as [string, ...string[]], async (pid, say) => {
        await say("");
        assert.throws(() => attachUprobe(object.programs.p, { path: library, symbol, pid }), { code: "ENOENT" });
        assert.equal(findBinary("skepprobed", pid), `/proc/${pid}/root${library}`);
        assert.equal(addressesInProcess(pid, `/proc/${pid}/root${library}`, probedOffset()).length, 1);
        using _link = attachUprobe(object.programs.p, { path: "libskepprobed", symbol, pid });
        await say("");
        await say("");
        assert.equal(count(object), 2);
        if (process.arch === "x64") {
          assert.deepEqual(
            usdtProbes("skepprobed", pid).map(({ provider, name }) => [provider, name]),
            [["skeplib", "called"]],
          );
          using _usdt = attachUsdt(object, object.programs.p, {
            path: "skepprobed",
            provider: "skeplib",
            name: "called",
            pid,
          });
          await say("");
          assert.equal(count(object), 4);
        }
      });
    });
  },
);

kernelTest(
  "a library that was replaced since it was loaded is still the one that is attached to",
  uprobes,
  async () => {
    await inFolder(async (folder) => {
      using object = load();
      const library = join(folder, LIBRARY);
      copyFileSync(fixture("libskepprobed"), library);
      await conversation([fixture("loader"), library], async (pid, say) => {
        await say("");
        copyFileSync(fixture("libskepprobed"), `${library}.new`);
        renameSync(`${library}.new`, library);
        const loaded = findBinary("skepprobed", pid);
        assert.match(loaded, new RegExp(`^/proc/${pid}/map_files/`));
        assert.equal(addressesInProcess(pid, loaded, probedOffset()).length, 1);
        assert.deepEqual(addressesInProcess(pid, library, probedOffset()), []);
        using _link = attachUprobe(object.programs.p, { path: "skepprobed", symbol, pid });
        await say("");
        assert.equal(count(object), 1);
        // The file of that name is another one, which the process does not run.
        using _new = attachUprobe(object.programs.p, { path: library, symbol, pid });
        await say("");
        assert.equal(count(object), 2);
      });
    });
  },
);

kernelTest("names without a process: the dynamic linker's cache, the usual folders, PATH", async () => {
  const libc = realpathSync(findBinary("libc"));
  assert.equal(libc, realpathSync(findBinary("libc", process.pid)));
  assert.equal(libc, realpathSync(findBinary("c")));
  assert.equal(findBinary("/some/where/else"), "/some/where/else");
  assert.match(findBinary("sh"), /\/sh$/);
  await inFolder((folder) => {
    mkdirSync(join(folder, "lib"));
    for (const name of ["skep-tool", "lib/libskepx-2.31.so"]) writeFileSync(join(folder, name), "", { mode: 0o755 });
    const { PATH, LD_LIBRARY_PATH } = process.env;
    try {
      process.env["PATH"] = `${folder}:${PATH}`;
      process.env["LD_LIBRARY_PATH"] = `${folder}/lib`;
      assert.equal(findBinary("skep-tool"), `${folder}/skep-tool`);
      assert.equal(findBinary("skepx"), `${folder}/lib/libskepx-2.31.so`);
      assert.equal(findBinary("libskepx"), `${folder}/lib/libskepx-2.31.so`);
      assert.throws(() => findBinary("libske"), { code: "SKEP_BINARY" });
      // A folder is no program.
      assert.throws(() => findBinary("lib"), { code: "SKEP_BINARY" });
    } finally {
      process.env["PATH"] = PATH;
      if (LD_LIBRARY_PATH === undefined) delete process.env["LD_LIBRARY_PATH"];
      else process.env["LD_LIBRARY_PATH"] = LD_LIBRARY_PATH;
    }
  });
});

kernelTest("what is not there says where was looked", uprobes, () => {
  using object = load();
  const attach = (path: string, pid?: number) =>
    attachUprobe(object.programs.p, { path, symbol, ...(pid !== undefined && { pid }) });
  assert.throws(() => attach("libskep-none"), {
    code: "SKEP_BINARY",
    message: /no program or library "libskep-none".*looked for in .*the folders of PATH/,
  });
  assert.throws(() => attach("libskep-none", process.pid), {
    code: "SKEP_BINARY",
    message: new RegExp(`what process ${process.pid} has loaded \\(/proc/${process.pid}/maps\\)`),
  });
  assert.throws(() => attach("libc", 2 ** 22 + 1), {
    code: "SKEP_BINARY",
    message: /It has ended, or it is another user's/,
  });
  assert.throws(() => attachUprobeMulti(object.programs.p, { path: "libskep-none", offsets: [0] }), {
    code: "SKEP_BINARY",
  });
});

kernelTest(
  "symbols that were stripped are found in the file that has them",
  { ...uprobes, command: ["objcopy", "strip"] },
  async () => {
    await inFolder(async (folder) => {
      using object = load();
      const stripped = join(folder, "probed");
      const debug = join(folder, ".debug", "probed.debug");
      mkdirSync(join(folder, ".debug"));
      execFileSync("objcopy", ["--only-keep-debug", fixture("probed"), debug]);
      execFileSync("strip", ["-o", stripped, fixture("probed")]);
      const attach = (pid: number) => attachUprobe(object.programs.p, { path: stripped, symbol: "probed", pid });
      assert.throws(() => attach(process.pid), { code: "SKEP_SYMBOL", message: /No file with its debugging symbols/ });
      execFileSync("objcopy", [`--add-gnu-debuglink=${debug}`, stripped]);
      await conversation([stripped], async (pid, say) => {
        using _link = attach(pid);
        await say("");
        assert.equal(count(object), 1);
      });
      // One of another build has the symbols elsewhere.
      execFileSync("objcopy", ["--only-keep-debug", fixture("loader"), debug]);
      assert.throws(() => attach(process.pid), { code: "SKEP_SYMBOL" });
    });
  },
);

kernelTest(
  "a stripped file whose symbols are in a file of the same name is not taken for it",
  { ...uprobes, command: ["objcopy", "strip"] },
  async () => {
    await inFolder(async (folder) => {
      using object = load();
      const stripped = join(folder, "probed");
      const debug = join(folder, ".debug", "probed");
      mkdirSync(join(folder, ".debug"));
      execFileSync("objcopy", ["--only-keep-debug", fixture("probed"), debug]);
      execFileSync("strip", ["-o", stripped, fixture("probed")]);
      execFileSync("objcopy", [`--add-gnu-debuglink=${debug}`, stripped]);
      await conversation([stripped], async (pid, say) => {
        using _link = attachUprobe(object.programs.p, { path: stripped, symbol: "probed", pid });
        await say("");
        assert.equal(count(object), 1);
      });
    });
  },
);

kernelTest(
  "symbols that were stripped are found in the container of the process",
  { ...uprobes, command: ["unshare", "mount", "objcopy", "strip"] },
  async () => {
    await inFolder(async (folder) => {
      using object = load();
      const inside = join(folder, "inside");
      for (const name of ["inside", "made", "made/.debug"]) mkdirSync(join(folder, name));
      const stripped = join(folder, "made", "probed");
      const debug = join(folder, "made", ".debug", "probed.debug");
      execFileSync("objcopy", ["--only-keep-debug", fixture("probed"), debug]);
      execFileSync("strip", ["-o", stripped, fixture("probed")]);
      execFileSync("objcopy", [`--add-gnu-debuglink=${debug}`, stripped]);
      const script = `mount -t tmpfs none "$1" && cp -r "$2/probed" "$2/.debug" "$1" && exec "$1/probed"`;
      await conversation(
        ["unshare", "--mount", "sh", "-c", script, "sh", inside, join(folder, "made")],
        async (pid, say) => {
          await say("");
          using _link = attachUprobe(object.programs.p, { path: "probed", symbol: "probed", pid });
          await say("");
          assert.equal(count(object), 1);
        },
      );
    });
  },
);

kernelTest(
  "the folders of a container are its own, whatever they are called here",
  { command: ["unshare", "mount", "chroot", "ldd"] },
  async () => {
    await inFolder(async (folder) => {
      // Here /lib may be a link to /usr/lib; there both are folders.
      const needed = execFileSync("ldd", [fixture("probed")], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
      const script = `root="$1"; mount -t tmpfs none "$root" && mkdir -p "$root/lib" "$root/usr/lib" "$root/none" || exit 1
        cp "$2" "$root/probed" && cp "$3" "$root/usr/lib/libskeponly.so.1" || exit 1
        shift 3
        for file; do mkdir -p "$root\${file%/*}" && cp "$file" "$root$file" || exit 1; done
        exec chroot "$root" /probed`;
      const words = [folder, fixture("probed"), fixture("libskepprobed"), ...needed];
      await conversation(["unshare", "--mount", "sh", "-c", script, "sh", ...words], async (pid, say) => {
        await say("");
        assert.equal(findBinary("skeponly", pid), `/proc/${pid}/root/usr/lib/libskeponly.so.1`);
      });
    });
  },
);
