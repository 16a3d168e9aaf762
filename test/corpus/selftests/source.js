// The kernel's own BPF selftests: their source, what must be generated for them, and the libbpf of the same source.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { kernelFolder } from "../../vm/home.js";
import { cache, packageFolder } from "../packages.js";

/** The series of the virtual machines that the source, the types and the annotations are of. */
export const SERIES = "6.12";
const PACKAGE = `linux-source-${SERIES}`;

export const folder = join(cache, `selftests-${SERIES}`);
export const tree = join(folder, "linux");
export const bpf = join(tree, "tools/testing/selftests/bpf");
export const include = join(folder, "include");
export const library = join(folder, "libbpf.a");
export const CLANG = process.env.SKEP_CLANG || "clang";
/** Objects of one compiler. */
export const compiled = join(folder, `objects-${basename(CLANG)}`);

/** What of the kernel's source is needed: a tenth of it. */
const PARTS = ["tools", "scripts", "include", "kernel/bpf"];

export function run(command, args, options = {}) {
  try {
    return execFileSync(command, args, { stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28, ...options });
  } catch (error) {
    if (error.code === "ENOENT") throw new Error(`corpus: ${command} is missing (${error.path})`);
    throw new Error(`corpus: ${command} failed: ${String(error.stderr ?? error.message).trim()}`);
  }
}

/** Makes a file or a folder unless it is there: whole, or not at all. */
function make(path, build) {
  if (existsSync(path)) return;
  const fresh = `${path}.new`;
  rmSync(fresh, { recursive: true, force: true });
  build(fresh);
  renameSync(fresh, path);
}

async function unpackTree() {
  if (existsSync(tree)) return;
  const archive = join(await packageFolder(PACKAGE), "usr/src", `${PACKAGE}.tar.xz`);
  make(tree, (fresh) => {
    console.error(`corpus: unpacking ${PACKAGE}`);
    mkdirSync(fresh, { recursive: true });
    const parts = PARTS.map((part) => `${PACKAGE}/${part}/*`);
    run("tar", ["xJf", archive, "-C", fresh, "--strip-components=1", "--wildcards", ...parts]);
  });
}

/** The uncompressed kernel of the virtual machines, which carries its types. */
function kernelImage() {
  const image = join(kernelFolder(SERIES), "vmlinux");
  if (!existsSync(image)) {
    const cli = fileURLToPath(new URL("../../vm/cli.js", import.meta.url));
    const { status } = spawnSync(process.execPath, [cli, SERIES, "--", "true"], { stdio: "inherit" });
    if (status !== 0) throw new Error(`corpus: kernel ${SERIES} could not be fetched`);
  }
  return image;
}

/** Headers: the kernel's types, the helpers' prototypes, libbpf's own. */
function makeHeaders() {
  make(include, (fresh) => {
    mkdirSync(join(fresh, "bpf"), { recursive: true });
    writeFileSync(join(fresh, "vmlinux.h"), run("bpftool", ["btf", "dump", "file", kernelImage(), "format", "c"]));
    const lib = join(tree, "tools/lib/bpf");
    for (const file of readdirSync(lib).filter((name) => name.endsWith(".h")))
      cpSync(join(lib, file), join(fresh, "bpf", file));
    const doc = ["--header", "--file", join(tree, "tools/include/uapi/linux/bpf.h")];
    writeFileSync(join(fresh, "bpf/bpf_helper_defs.h"), run("python3", [join(tree, "scripts/bpf_doc.py"), ...doc]));
  });
}

function makeLibrary() {
  make(library, (fresh) => {
    console.error("corpus: building libbpf");
    const objects = join(folder, "libbpf");
    mkdirSync(objects, { recursive: true });
    const lib = join(tree, "tools/lib/bpf");
    const flags = ["-g", "-O2", "-w", "-std=gnu89", "-D_LARGEFILE64_SOURCE", "-D_FILE_OFFSET_BITS=64"];
    const includes = [join(include, "bpf"), join(tree, "tools/include"), join(tree, "tools/include/uapi")];
    const sources = readdirSync(lib).filter((name) => name.endsWith(".c"));
    run("gcc", [...flags, ...includes.map((path) => `-I${path}`), "-c", ...sources.map((name) => join(lib, name))], {
      cwd: objects,
    });
    run("ar", ["rcs", fresh, ...sources.map((name) => join(objects, name.replace(/\.c$/, ".o")))]);
  });
}

/** Fetches and builds what is missing: the source, headers, and libbpf. */
export async function prepareSource() {
  mkdirSync(folder, { recursive: true });
  await unpackTree();
  makeHeaders();
  makeLibrary();
}
