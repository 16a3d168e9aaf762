#!/usr/bin/env node
// Fetches a kernel of Debian and lays it out in the cache folder: vmlinux, release, lib/modules/RELEASE (with config).
// `own` is this machine's own kernel, or one that somebody built: $SKEP_VM_KERNEL (bzImage or vmlinux) and
// $SKEP_VM_MODULES (its lib/modules/RELEASE).
//
//   node test/vm/fetch.js 6.12 | newest | own      (called under the lock)
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { release as osRelease } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { download, packageNames, unpack, update } from "./apt.js";
import { home, kernelFolder, runLocked, VmError } from "./home.js";
import { KERNELS } from "./kernels.js";
import { runTool, tools } from "./tools.js";
import { extractVmlinux } from "./vmlinux.js";

const newestFile = join(home, "newest");
const WEEK = 7 * 24 * 3600 * 1000;

/** The series that a name means, and its folder, fetched first where it is missing. */
export async function kernel(name, signal) {
  let series = name === "own" ? ownKernel().series : name;
  if (name === "newest") {
    const known = existsSync(newestFile) ? readFileSync(newestFile, "utf8") : undefined;
    const isFresh = known !== undefined && Date.now() - statSync(newestFile).mtimeMs < WEEK;
    if (isFresh) series = known;
  }
  if (!existsSync(join(kernelFolder(series), "release"))) {
    series = (await runLocked(fileURLToPath(import.meta.url), [name], signal)).trim();
  }
  const folder = kernelFolder(series);
  return { series, folder, release: readFileSync(join(folder, "release"), "utf8").trim() };
}

/** The packages of cloud kernels, newest first: [{ version: "6.12.117+deb12-cloud-amd64", packages: Set }]. */
function available() {
  const found = new Map();
  for (const name of ["linux-image-", "linux-binary-", "linux-modules-", "linux-base-"].flatMap(packageNames)) {
    const match = /^linux-(?:image|binary|modules|base)-(?:unsigned-)?(\d+\.\d+\.\S*cloud-amd64)(?:-unsigned)?$/.exec(
      name,
    );
    if (match === null) continue;
    if (!found.has(match[1])) found.set(match[1], new Set());
    found.get(match[1]).add(name);
  }
  return [...found].map(([version, packages]) => ({ version, packages })).sort((a, b) => compare(b.version, a.version));
}

/** By the numbers in a version: 6.1.0-56 comes after 6.1.0-0.deb11.52. */
function compare(a, b) {
  const numbers = (version) => version.match(/\d+/g).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const seriesOf = (version) => version.split(".").slice(0, 2).join(".");

/** Downloads one version's packages: the signed kernel, or the same unsigned where the mirror has lost the signed one. */
function downloadVersion({ version, packages }, into) {
  // Up to 6.18 the image package has it all; later it is empty, and kernel, modules and configuration are in three others.
  const rest = [`linux-modules-${version}`, `linux-base-${version}`];
  const choices = packages.has(`linux-binary-${version}`)
    ? [
        [`linux-binary-${version}`, ...rest],
        [`linux-binary-unsigned-${version}`, ...rest],
      ]
    : [[`linux-image-${version}`], [`linux-image-${version}-unsigned`]];
  let said;
  for (const choice of choices) {
    const wanted = choice.filter((name) => packages.has(name));
    if (wanted.length === 0) continue;
    rmSync(into, { recursive: true, force: true });
    const error = download(wanted, into);
    if (error === undefined) return undefined;
    said ??= error;
  }
  return said ?? `There is no package of ${version}.`;
}

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

/** Where this machine's own kernel is: its image, its modules, and the name it is kept under. */
function ownKernel() {
  const running = process.env.SKEP_VM_MODULES;
  const release = running === undefined ? osRelease() : basename(running);
  const modules = running ?? `/lib/modules/${release}`;
  const places = [process.env.SKEP_VM_KERNEL, `/boot/vmlinuz-${release}`, `${modules}/vmlinuz`];
  const image = places.find((path) => path !== undefined && existsSync(path));
  if (image === undefined) {
    throw new VmError(
      `The image of this machine's own kernel (${release}) is in none of ${places.filter(Boolean).join(", ")}: hosts of clouds often boot one from outside. Tests run on it without a virtual machine (npm run test:host); SKEP_VM_KERNEL names the image of another.`,
    );
  }
  if (!existsSync(modules))
    throw new VmError(`The modules of kernel ${release} are not in ${modules}: SKEP_VM_MODULES names another folder.`);
  // Another build of the same release is another kernel.
  const { mtimeMs, size } = statSync(image);
  return { image, modules, release, series: `own-${release}-${Math.floor(mtimeMs)}-${size}` };
}

/** Lays the machine's own kernel out like those of Debian. */
function layOut(work, { image, modules, release }, programs) {
  const tree = join(work, "tree");
  mkdirSync(join(tree, "lib", "modules"), { recursive: true });
  mkdirSync(join(tree, "boot"));
  copyFileSync(image, join(tree, "boot", `vmlinuz-${release}`));
  cpSync(modules, join(tree, "lib", "modules", release), { recursive: true, verbatimSymlinks: true });
  if (existsSync(`/boot/config-${release}`))
    copyFileSync(`/boot/config-${release}`, join(tree, "boot", `config-${release}`));
  installInto(work, tree, release, programs);
}

async function fetch(name) {
  const programs = await tools({ locked: true });
  if (name === "own") {
    const own = ownKernel();
    const target = kernelFolder(own.series);
    if (!existsSync(join(target, "release"))) inWorkFolder(target, (work) => layOut(work, own, programs));
    return own.series;
  }
  update();
  let versions = available();
  const pick = () => (name === "newest" ? versions : versions.filter(({ version }) => seriesOf(version) === name));
  if (pick().length === 0) {
    update(true);
    versions = available();
  }
  const series = name === "newest" ? seriesOf(versions[0]?.version ?? "") : name;
  const target = kernelFolder(series);
  if (!existsSync(join(target, "release"))) {
    const candidates = versions.filter(({ version }) => seriesOf(version) === series);
    if (candidates.length === 0) {
      const known = [...new Set(versions.map(({ version }) => seriesOf(version)))].reverse();
      throw new VmError(
        `Debian has no cloud kernel ${name} in the suites of test/vm/kernels.js; there are ${known.join(", ") || "none"}.`,
      );
    }
    console.error(`vm: fetching Linux ${series}`);
    inWorkFolder(target, (work) => fetchInto(work, candidates, programs));
  }
  if (name === "newest") writeFileSync(newestFile, series);
  return series;
}

/** Fills a new folder and puts it in its place when it is whole. */
function inWorkFolder(target, fill) {
  mkdirSync(join(home, "kernels"), { recursive: true });
  // What a killed process left.
  for (const old of readdirSync(join(home, "kernels"))) {
    if (old.startsWith(".new-")) rmSync(join(home, "kernels", old), { recursive: true, force: true });
  }
  const work = mkdtempSync(join(home, "kernels", ".new-"));
  try {
    fill(work);
    renameSync(join(work, "kernel"), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchInto(work, candidates, programs) {
  const said = [];
  const debs = join(work, "debs");
  // A list can name what the mirror has dropped already: then the one before it.
  const got = candidates.find((candidate) => {
    const error = downloadVersion(candidate, debs);
    if (error !== undefined) said.push(error);
    return error === undefined;
  });
  if (got === undefined)
    throw new VmError(`No package of ${candidates[0].version} could be fetched:\n${said.join("\n")}`);
  const tree = join(work, "tree");
  mkdirSync(tree);
  for (const deb of readdirSync(debs)) unpack(join(debs, deb), tree);
  installInto(work, tree, got.version, programs);
}

/** From an unpacked tree to WORK/kernel, as machines boot it. */
function installInto(work, tree, version, programs) {
  const modules = ["lib/modules", "usr/lib/modules"].map((path) => join(tree, path)).find((path) => existsSync(path));
  const image = filesBelow(tree).find((path) => /\/vmlinuz[^/]*$/.test(path));
  if (modules === undefined || image === undefined) {
    throw new VmError(`The packages of ${version} hold no ${image === undefined ? "kernel" : "modules"}.`);
  }
  const [release] = readdirSync(modules);
  const kernel = join(work, "kernel");
  mkdirSync(join(kernel, "lib", "modules"), { recursive: true });
  writeFileSync(join(kernel, "vmlinux"), extractVmlinux(image, programs));
  const config = filesBelow(tree).find((path) => /\/boot\/config-|\/modules\/[^/]*\/config$/.test(path));
  const own = join(kernel, "lib", "modules", release);
  renameSync(join(modules, release), own);
  // Where newer packages have it; the guest's /boot/config-RELEASE points here.
  if (config !== undefined && !existsSync(join(own, "config"))) copyFileSync(config, join(own, "config"));
  // Unpacked here: the guest is slow, and busybox need not know the format.
  const packed = filesBelow(own).filter((path) => path.endsWith(".ko.xz"));
  for (let i = 0; i < packed.length; i += 200) runTool(programs.xz, ["-d", ...packed.slice(i, i + 200)]);
  runTool(programs.kmod, ["-b", kernel, release], { argv0: "depmod" });
  writeFileSync(join(kernel, "release"), `${release}\n`);
  const { stdout } = spawnSync("du", ["-sh", kernel], { encoding: "utf8" });
  console.error(`vm: ${release}, ${stdout.split("\t")[0]} in ${home}`);
}

/** What `npm run vm -- --list` shows. */
export function knownKernels() {
  const cached = existsSync(join(home, "kernels"))
    ? readdirSync(join(home, "kernels")).filter((name) => existsSync(join(kernelFolder(name), "release")))
    : [];
  const names = [...new Set([...KERNELS.map(({ series }) => series), ...cached])].sort(compare);
  return names.map((name) => ({
    name,
    release: cached.includes(name) ? readFileSync(join(kernelFolder(name), "release"), "utf8").trim() : undefined,
  }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await fetch(process.argv[2]));
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`vm: ${error.message}`);
    process.exit(1);
  }
}
