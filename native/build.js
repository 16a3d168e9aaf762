#!/usr/bin/env node
// Compiles skep.c to prebuilds/linux-<arch>/skep.node with one call of the C compiler. No node-gyp: the headers come
// from the package node-api-headers, and the result needs no library, so it runs on every Linux and every Node since 20.
//
//   node native/build.js            for this machine, when out of date
//   node native/build.js --force    in any case
//   node native/build.js --arch arm64   for another machine (CC=aarch64-linux-gnu-gcc, or clang with lld)
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "native", "skep.c");
const TRIPLES = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
const FLAGS = [
  ...["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"],
  ...["-ffreestanding", "-fno-stack-protector", "-nostdlib"],
  ...["-Wl,-s", "-Wl,-z,noexecstack", "-Wl,-z,relro", "-Wl,-z,nodelete"],
];
const CLANG_ONLY = ["-Wno-unknown-warning-option", "-Wno-ignored-optimization-argument"];
/** Or the loop in memset() would become a call of memset(); clang leaves loops alone that are free-standing. */
const GCC_ONLY = ["-fno-tree-loop-distribute-patterns"];

const mtime = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** A failure the user can do something about; its message says what. */
class BuildError extends Error {}

/** Of the package, or of the Node that runs this: tarballs and version managers bring them along. */
function headers() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node-api-headers/package.json");
    return join(dirname(manifest), "include");
  } catch {
    const include = join(dirname(realpathSync(process.execPath)), "..", "include", "node");
    if (existsSync(join(include, "node_api.h"))) return include;
    throw new BuildError(
      "Skep's native part needs the Node-API headers: npm install node-api-headers (in Skep's own checkout: npm ci).",
    );
  }
}

/** The first C compiler that runs, as [command, ...arguments]. $CC, when set, is the only candidate. */
function compiler() {
  const candidates = process.env.CC ? [process.env.CC.trim().split(/\s+/)] : [["cc"], ["gcc"], ["clang"]];
  for (const [command, ...args] of candidates) {
    const probe = spawnSync(command, [...args, "--version"], { encoding: "utf8" });
    if (probe.status === 0) return { command, args, clang: /clang/i.test(probe.stdout) };
  }
  throw new BuildError(
    process.env.CC
      ? `Skep's native part needs a C compiler, and CC=${process.env.CC} does not run: correct it or unset it.`
      : "Skep's native part needs a C compiler: install gcc or clang (Debian, Ubuntu: apt install gcc; Fedora: dnf install gcc; Alpine: apk add gcc), or name one in CC.",
  );
}

/**
 * Builds the addon when it is missing or older than its sources.
 * @param {{ arch?: string, force?: boolean, flags?: string[], output?: string }} [options]
 * @returns {{ path: string, built: boolean }}
 */
export function buildNative({ arch = process.arch, force = false, flags = [], output } = {}) {
  const triple = TRIPLES[arch];
  if (triple === undefined) throw new BuildError(`Skep's native part exists for x64 and arm64, not for ${arch}.`);
  const path = output ?? join(root, "prebuilds", `linux-${arch}`, "skep.node");
  const newest = Math.max(mtime(source), mtime(fileURLToPath(import.meta.url)));
  if (!force && mtime(path) >= newest) return { path, built: false };
  let cc;
  let include;
  try {
    cc = compiler();
    include = headers();
  } catch (error) {
    if (error instanceof BuildError && existsSync(path) && !force) return { path, built: false };
    throw error;
  }
  const cross =
    cc.clang && (arch !== process.arch || process.platform !== "linux") ? [`--target=${triple}`, "-fuse-ld=lld"] : [];
  const partial = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  const args = [
    ...cc.args,
    ...FLAGS,
    ...(cc.clang ? CLANG_ONLY : GCC_ONLY),
    ...cross,
    ...flags,
    `-I${include}`,
    source,
    "-o",
    partial,
  ];
  const run = spawnSync(cc.command, args, { encoding: "utf8" });
  if (run.status !== 0) {
    rmSync(partial, { force: true });
    throw new BuildError(`Skep's native part did not compile (${cc.command} ${args.join(" ")}):\n${run.stderr}`);
  }
  // Replaced whole: processes which have the old file loaded keep it.
  renameSync(partial, path);
  return { path, built: true };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf("--arch");
  const arch = at > 0 ? process.argv[at + 1] : undefined;
  try {
    if (process.platform !== "linux" && arch === undefined) {
      console.log("Skep's native part is for Linux: nothing to build here.");
    } else {
      buildNative({ ...(arch && { arch }), force: process.argv.includes("--force") });
    }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
