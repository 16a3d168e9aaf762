// The C programs: from clones of the repositories they are maintained in, always of the same version, compiled as they stand.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where each is on GitHub, and the version that is measured. */
const REPOSITORIES = {
  bcc: { github: "iovisor/bcc", version: "v0.37.0", folder: "libbpf-tools" },
  "libbpf-bootstrap": {
    github: "libbpf/libbpf-bootstrap",
    version: "80334a221459f196123d54a7264f42b6767a04d3",
    folder: "examples/c",
  },
};
/** Headers of their own that programs of bcc include. */
const HEADERS = ["bits.bpf.h", "maps.bpf.h", "core_fixes.bpf.h", "stat.h"];
const CLANG = process.env["SKEP_CLANG"] ?? "clang";
const skep = fileURLToPath(new URL("../../bin/skep.js", import.meta.url));

/** The folder with the clones, `bcc` and `libbpf-bootstrap`; why there is none, where there is none. */
function clone(cache, repository) {
  const folder = join(process.env["SKEP_BENCH_SOURCES"] ?? join(cache, "sources"), repository);
  if (existsSync(folder)) return folder;
  const { github } = REPOSITORIES[repository];
  throw new Error(`the C programs are missing: ${folder} is to be a clone of ${github} (or set SKEP_BENCH_SOURCES)`);
}

function show(cache, repository, file) {
  const { version, folder } = REPOSITORIES[repository];
  const git = ["-C", clone(cache, repository), "-c", "safe.directory=*", "show", `${version}:${folder}/${file}`];
  const { status, stdout } = spawnSync("git", git, { encoding: "utf8", maxBuffer: 1 << 26 });
  return status === 0 ? stdout : undefined;
}

function write(path, text) {
  if (text !== undefined) writeFileSync(path, text);
}

/** This kernel's types as a header, in `folder`. */
function kernelHeader(folder) {
  const path = join(folder, "vmlinux.h");
  if (existsSync(path) && statSync(path).mtimeMs > statSync("/proc/1").ctimeMs) return;
  writeFileSync(path, execFileSync(process.execPath, [skep, "btf", "dump"], { maxBuffer: 1 << 28 }));
}

/** What compiles them, for people. */
export function clangVersion() {
  const { stdout } = spawnSync(CLANG, ["--version"], { encoding: "utf8" });
  return /version (\S+)/.exec(stdout ?? "")?.[1];
}

/**
 * Compiles the C program of each entry; paths of the objects by name.
 * @param {string} cache @param {readonly { name: string, repository: string }[]} programs
 * @param {string} include the folder that has `bpf/bpf_helpers.h`
 */
export function compileTwins(cache, programs, include) {
  const folder = join(cache, "codegen");
  mkdirSync(folder, { recursive: true });
  kernelHeader(folder);
  for (const header of HEADERS) write(join(folder, header), show(cache, "bcc", header));
  const objects = {};
  for (const { name, repository } of programs) {
    const source = join(folder, `${name}.bpf.c`);
    const text = show(cache, repository, `${name}.bpf.c`);
    if (text === undefined)
      throw new Error(`${repository} has no ${name}.bpf.c of version ${REPOSITORIES[repository].version}`);
    write(source, text);
    write(join(folder, `${name}.h`), show(cache, repository, `${name}.h`));
    objects[name] = source.replace(/c$/, "o");
    const arch = process.arch === "arm64" ? "arm64" : "x86";
    const flags = ["-O2", "-mcpu=v3", "-g", "-target", "bpf", `-D__TARGET_ARCH_${arch}`, "-Wno-everything"];
    const paths = [`-I${folder}`, `-I${include}`, ...systemHeaders()];
    const { status, stderr, error } = spawnSync(CLANG, [...flags, ...paths, "-c", source, "-o", objects[name]]);
    if (status !== 0) throw new Error(`${CLANG} could not compile ${name}.bpf.c: ${error?.message ?? String(stderr)}`);
  }
  return objects;
}

/** Where the architecture's own kernel headers are on Debian; elsewhere they are in /usr/include. */
function systemHeaders() {
  const folders = readdirSync("/usr/include", { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(`/usr/include/${entry.name}/asm`))
    .map(({ name }) => `/usr/include/${name}`);
  return folders.flatMap((path) => ["-idirafter", path]);
}
