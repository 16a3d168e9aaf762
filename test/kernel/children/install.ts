// Installs objects in a folder of a bpffs (first argument) while another process makes numbered calls. As `killed` it starts
// itself as the installer again and again and kills it at any moment; as `installer` it replaces what is there for ever.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type BpfMap, installObject, type KeyedMap, type ObjectSpec, uninstallObject } from "../../../src/sdk/index.ts";
import { environment } from "../../support/cli.ts";
import {
  BEGIN,
  connectSpec,
  countsOf,
  END,
  numberedCalls,
  pairSpec,
  unexpected,
} from "../../support/numbered-calls.ts";
import { pace } from "../../support/pace.ts";

const [folder = "", role = "", kind = "", cgroup = "", from = "0"] = process.argv.slice(2);
const attach = cgroup === "" ? {} : { cgroup };
const specOf = (version: number): ObjectSpec => (kind === "connect" ? connectSpec(version) : pairSpec(version));

async function installForEver(): Promise<never> {
  let version = Number(from);
  const object = await installObject(folder, specOf(version), { attach });
  process.stdout.write(
    `${version} ${object.replaced === undefined ? "first" : "kept"} ${object.replaced?.kept.join()}\n`,
  );
  for (;;) {
    await object.replace(specOf(++version));
    process.stdout.write(`${version}\n`);
  }
}

interface Installer {
  child: ChildProcess;
  /** Its first line: what its first version found. */
  first: string;
  /** The version it installed last. */
  last(): number;
  /** Resolves once it has installed this version. */
  reaches(version: number): Promise<void>;
}

/** Starts an installer whose versions begin with `version`; resolves once it has installed the first of them. */
async function startInstaller(version: number): Promise<Installer> {
  const args = [fileURLToPath(import.meta.url), folder, "installer", kind, cgroup, String(version)];
  const child = spawn(process.execPath, ["--enable-source-maps", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environment(),
  });
  let first: string | undefined;
  let last = "";
  const lastVersion = (): number => Number.parseInt(last, 10);
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    first ??= line;
    last = line;
  });
  await Promise.race([once(lines, "line"), once(child, "exit")]);
  assert.equal(child.exitCode, null, "the installer goes on until it is killed");
  const reaches = async (wanted: number): Promise<void> => {
    while (lastVersion() < wanted) {
      await Promise.race([once(lines, "line"), once(child, "exit")]);
      assert.equal(child.exitCode, null, "the installer goes on until it is killed");
    }
  };
  return { child, first: first ?? "", last: lastVersion, reaches };
}

async function killInstallers(): Promise<void> {
  // An emulated machine starts few installers in the time that calls at the full rate would take.
  const [count, rate] = pace([600_000, 100_000], [40_000, 10_000]);
  const calls = numberedCalls(kind === "connect" ? "connect" : "getpgid", count, rate);
  let installer = await startInstaller(0);
  assert.match(installer.first, /^0 first/);
  // Nobody else may have the folder meanwhile, and it says so.
  await assert.rejects(installObject(folder, specOf(9), { attach }), {
    code: "SKEP_REPLACE",
    message: /Another process is at /,
  });
  installer.child.kill("SIGKILL");
  await once(installer.child, "exit");
  {
    // What the process that was killed had installed is there, with its maps.
    const object = await installObject(folder, specOf(1), { attach });
    assert.deepEqual(object.replaced?.kept, Object.keys(specOf(0).maps));
    if (kind !== "connect") (object.maps["target"] as KeyedMap<number, number>).set(0, calls.pid);
    object.close();
  }
  let version = 1;
  let kills = 0;
  while (!calls.ended || kills < 2) {
    installer = await startInstaller(version + 1);
    assert.match(installer.first, /^\d+ kept (.+,)?seen,versions/);
    if (kills === 0) {
      calls.begin();
      // A slow machine's calls may be over before its second installer has started: the first stays until it has installed once more.
      await installer.reaches(version + 2);
    }
    await sleep(Math.random() * pace(60, 2000));
    installer.child.kill("SIGKILL");
    await once(installer.child, "exit");
    version = Math.max(version + 1, installer.last());
    kills++;
  }
  await calls.end();
  const object = await installObject(folder, specOf(4000), { attach });
  try {
    const expected = kind === "connect" ? BEGIN : BEGIN + END;
    assert.deepEqual(unexpected(object.maps["seen"] as BpfMap, count, expected), []);
    const versions = countsOf(object.maps["versions"] as BpfMap);
    const total = versions.reduce((sum, n) => sum + n, 0n);
    assert.equal(total, BigInt(kind === "connect" ? count : 2 * count));
    assert.ok(versions.length > 1, `${kills} kills, ${versions.length} versions saw calls`);
    assert.equal(readdirSync(folder).length, 2, "one turn is left, and the word");
  } finally {
    object.close();
  }
  uninstallObject(folder);
  assert.throws(() => readdirSync(folder), { code: "ENOENT" });
  process.stdout.write(`done\n`);
}

if (role === "installer") await installForEver();
else await killInstallers();
