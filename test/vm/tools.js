#!/usr/bin/env node
// The programs that make and run a virtual machine: the machine's own where it has them; the rest is fetched into the cache
// folder and run from there, so that nothing gets installed.
//
//   node test/vm/tools.js      (called under the lock when something is missing)
import { spawnSync } from "node:child_process";
import { accessSync, constants, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { downloadWithDependencies, unpack, update } from "./apt.js";
import { home, runLocked, toolsFolder, VmError } from "./home.js";

/** Each program, the package that has it, and the folders where it may lie. */
const PROGRAMS = {
  "qemu-system-x86_64": { package: "qemu-system-x86" },
  // A package of its own since Debian 13, a part of QEMU's before.
  virtiofsd: { package: "qemu-system-common", since13: "virtiofsd", folders: ["/usr/libexec", "/usr/lib/qemu"] },
  busybox: { package: "busybox-static" },
  kmod: { package: "kmod" },
  xz: { package: "xz-utils" },
  zstd: { package: "zstd" },
  lz4: { package: "lz4" },
};

const FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A busybox of the system's may need libraries, which an initramfs has not. */
function isStatic(path) {
  return spawnSync("ldd", [path], { encoding: "utf8" }).status !== 0;
}

function find(name) {
  const folders = PROGRAMS[name].folders ?? FOLDERS;
  for (const root of ["", toolsFolder]) {
    const path = folders.map((folder) => join(root, folder, name)).find(executable);
    if (path !== undefined && (name !== "busybox" || isStatic(path))) return path;
  }
  return undefined;
}

/** The environment that a fetched program needs to find its libraries. */
export function toolEnvironment(path) {
  if (!path.startsWith(`${toolsFolder}/`)) return process.env;
  const libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib"].map((part) =>
    join(toolsFolder, part),
  );
  return { ...process.env, LD_LIBRARY_PATH: [...libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":") };
}

/** Runs a tool and gives its output back as bytes. */
export function runTool(path, args, options = {}) {
  const result = spawnSync(path, args, { maxBuffer: 1 << 30, ...options, env: toolEnvironment(path) });
  if (result.error !== undefined || (result.status !== 0 && options.tolerant !== true)) {
    throw new VmError(`${path} failed (${result.error?.message ?? `exit ${result.status}`}): ${String(result.stderr)}`);
  }
  return result.stdout;
}

const missingPrograms = () => Object.keys(PROGRAMS).filter((name) => find(name) === undefined);

/** The paths of all programs, fetched first where they are missing. `locked`: the caller holds the lock already. */
export async function tools({ locked = false, signal } = {}) {
  if (missingPrograms().length > 0) {
    if (locked) fetch();
    else await runLocked(fileURLToPath(import.meta.url), [], signal);
  }
  return Object.fromEntries(
    Object.keys(PROGRAMS).map((name) => {
      const path = find(name);
      if (path === undefined) throw new VmError(`${name} is missing still, although its package was fetched.`);
      return [name, path];
    }),
  );
}

function fetch() {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  update();
  console.error(`vm: fetching ${missing.join(", ")}`);
  fetchPackages(missing.map((name) => PROGRAMS[name].package));
  if (find("virtiofsd") === undefined) fetchPackages([PROGRAMS.virtiofsd.since13]);
}

function fetchPackages(packages) {
  let debs;
  try {
    debs = downloadWithDependencies(packages);
  } catch {
    // The lists may be older than what the mirror holds now.
    update(true);
    debs = downloadWithDependencies(packages);
  }
  // What was fetched before stays; a fetch that is cut off leaves the tools as they were.
  const fresh = join(home, "tools.new");
  rmSync(fresh, { recursive: true, force: true });
  if (existsSync(toolsFolder)) cpSync(toolsFolder, fresh, { recursive: true, verbatimSymlinks: true });
  else mkdirSync(fresh, { recursive: true });
  for (const deb of debs) {
    unpack(deb, fresh);
    rmSync(deb);
  }
  rmSync(toolsFolder, { recursive: true, force: true });
  renameSync(fresh, toolsFolder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    fetch();
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`vm: ${error.message}`);
    process.exit(1);
  }
}
