import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type Btf, kernelBtf, openObject } from "../../sdk/index.ts";
import { header } from "../btf/index.ts";

/** clang is missing, or does not take the source; `output` is what it says. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  readonly code = "SKEP_COMPILE";
  readonly output: string;

  constructor(message: string, output = "") {
    super(output === "" ? message : `${message}\n${output.trimEnd()}`);
    this.output = output;
  }
}

export interface CompileOptions {
  /** The object; beside the source, `x.bpf.c` → `x.bpf.o`, when left out. */
  readonly output?: string;
  /** Folders of headers, before those of the machine. */
  readonly include?: readonly string[];
  /** Macros: `NAME` or `NAME=value`. */
  readonly define?: readonly string[];
  /** Types that `vmlinux.h` is made of; the running kernel's when left out. */
  readonly btf?: Btf;
  /** The instruction set: v3 (Linux 5.1) when left out. */
  readonly cpu?: "v1" | "v2" | "v3" | "v4";
}

export interface Compiled {
  readonly object: string;
  /** Warnings of the compiler. */
  readonly warnings: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "x86", arm64: "arm64" };
const MULTIARCH: Readonly<Record<string, string>> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };

/**
 * Compiles C for eBPF with clang, as libbpf's users do: types and line info in, DWARF out, `vmlinux.h` of the running kernel
 * at hand when the source includes it. The object is read once, so that what is no good is said here; the file appears only
 * when it is whole. Throws CompileError, and what `openObject` throws.
 */
export function compile(source: string, options: CompileOptions = {}): Compiled {
  const named = process.env["CLANG"] || "clang";
  const clang = named.includes("/") ? resolve(named) : named;
  if (spawnSync(clang, ["--version"]).status !== 0)
    throw new CompileError(
      `There is no clang ("${named}"): install it (Debian, Ubuntu: apt install clang llvm libbpf-dev; Fedora: dnf install clang llvm libbpf-devel), or name one in CLANG.`,
    );
  const text = readFileSync(source, "utf8");
  const object = options.output ?? join(dirname(source), basename(source).replace(/(\.bpf)?\.c$/, ".bpf.o"));
  if (resolve(object) === resolve(source))
    throw new CompileError(`"${source}" is not called .c: name the output (-o).`);
  const work = mkdtempSync(join(tmpdir(), "skep-compile-"));
  try {
    const folder = dirname(resolve(source));
    const include = [...(options.include ?? []).map((dir) => resolve(dir)), folder];
    if (
      /^\s*#\s*include\s*["<]vmlinux\.h[">]/m.test(text) &&
      !include.some((dir) => existsSync(join(dir, "vmlinux.h")))
    )
      include.push(vmlinuxFolder(options.btf, work));
    const made = join(work, "object.o");
    const args = [
      ...["-g", "-O2", "-target", "bpf", `-mcpu=${options.cpu ?? "v3"}`, "-Wall", "-Wno-missing-declarations"],
      `-D__TARGET_ARCH_${ARCHITECTURES[process.arch] ?? process.arch}`,
      ...(options.define ?? []).map((macro) => `-D${macro}`),
      ...include.flatMap((dir) => ["-I", dir]),
      // The source is called the same wherever it lies: the same source makes the same object on each machine.
      ...["-fdebug-compilation-dir=.", `-fdebug-prefix-map=${join(folder, "/")}=`],
      // asm/types.h, which clang looks for where it would compile for this machine only.
      ...["-idirafter", `/usr/include/${MULTIARCH[process.arch] ?? ""}`],
      ...["-c", resolve(source), "-o", made],
    ];
    const { status, stderr, error } = spawnSync(clang, args, {
      cwd: folder, // where clang looks for the lines of a source that is called so
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    if (status !== 0) {
      const missing = /fatal error: '(bpf\/[\w.]+)' file not found/.exec(stderr ?? "")?.[1];
      const advice =
        missing === undefined
          ? ""
          : ` <${missing}> is libbpf's: install it (apt install libbpf-dev), or name its folder (-I).`;
      throw new CompileError(`clang does not take ${source}.${advice}`, error?.message ?? stderr);
    }
    strip(made);
    openObject(made);
    // Its own folder may be another file system's.
    const beside = `${object}.${process.pid}`;
    try {
      writeFileSync(beside, readFileSync(made));
      renameSync(beside, object);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
    return { object, warnings: stderr };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Counted up when headers are printed otherwise than before: those that are kept are of no use then. */
const FORMAT = "1";

/** DWARF is ten times the object, and nobody reads it; BTF stays. Without llvm-strip it is kept. */
function strip(object: string): void {
  for (const tool of ["llvm-strip", "llvm-objcopy"])
    if (spawnSync(tool, tool === "llvm-strip" ? ["-g", object] : ["--strip-debug", object]).status === 0) return;
}

/** A folder with `vmlinux.h`; that of the running kernel is kept in the user's cache: it takes a second or two to make. */
function vmlinuxFolder(btf: Btf | undefined, work: string): string {
  if (btf !== undefined) {
    writeFileSync(join(work, "vmlinux.h"), header(btf));
    return work;
  }
  const cache = process.env["XDG_CACHE_HOME"] || join(process.env["HOME"] || tmpdir(), ".cache");
  // A kernel that was built anew has other types under the same name.
  const types = kernelBtf();
  const hash = createHash("sha256").update(FORMAT).update(types.bytes).digest("hex").slice(0, 16);
  const folder = join(cache, "skep", "vmlinux", `${release()}-${hash}`);
  const file = join(folder, "vmlinux.h");
  if (existsSync(file)) return folder;
  const text = header(types);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
    return folder;
  } catch {
    // A cache that is not ours to write.
    writeFileSync(join(work, "vmlinux.h"), text);
    return work;
  }
}
