// The selftests' relocations (CO-RE): objects fitted to types made for it, by what prog_tests/core_reloc.c expects.
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attachTracing, Btf, loadObject, openObject } from "../../../dist/sdk/index.js";
import { printCount } from "../causes.js";
import { isTyped } from "../ours.js";
import { theirTests } from "../reference.js";
import { bpf, compiled, folder, include, library, run, tree } from "./source.js";
import { hasTestModule, TEST_FILE } from "./testmod.js";

const source = fileURLToPath(new URL("core-cases.c", import.meta.url));
// What the programs find in variable `data` (struct data of core_reloc.c): input, output, whether to skip, who is asked for.
const OUT = 256;
const SKIP = 512;
const WHO = 520;
const READ_BYTES = 123;

function cases() {
  const program = join(folder, "core-cases");
  if (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs) {
    const includes = [bpf, include, join(tree, "tools/include"), join(tree, "tools/include/uapi")];
    const flags = ["-O1", "-w", ...includes.map((path) => `-I${path}`)];
    run("gcc", [...flags, "-o", program, source, library, "-lelf", "-lz"]);
  }
  const { stdout } = spawnSync(program, { cwd: compiled, encoding: "utf8" });
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** `held`, `left` (why it cannot be tried here), or `wrong` (what is not as expected). */
function tryCase(one, kernel) {
  const file = join(compiled, one.object);
  const types = one.types === null ? undefined : join(compiled, one.types);
  if (one.module && !hasTestModule())
    return { left: "the selftests' kernel module is for virtual machines of Linux 6.12" };
  if (!existsSync(file) || (types !== undefined && !existsSync(types)))
    return { left: "this compiler does not take the program" };
  const spec = openObject(file);
  const direct = one.tracepoint === null;
  // What a program attaches to is in the kernel's own types still.
  const attach = direct && !one.module ? { attachBtfId: kernel.find("btf_trace_sys_enter", "typedef") } : {};
  const object = {
    ...spec,
    programs: { [one.program]: { ...spec.programs[one.program], ...attach } },
  };
  let loaded;
  try {
    loaded = loadObject(object, types === undefined ? {} : { kernelBtf: openObject(types).btf });
  } catch (error) {
    if (!isTyped(error)) throw error;
    return one.fails ? { held: true } : { wrong: `is refused: ${error.code}: ${error.message.split("\n")[0]}` };
  }
  try {
    return runCase(one, spec, loaded, direct);
  } finally {
    loaded.close();
  }
}

function runCase(one, spec, loaded, direct) {
  const map = loaded.maps[".bss"];
  const key = new Uint8Array(4);
  const value = Buffer.alloc(map.info.valueSize);
  const at = spec.variables.data.offset;
  value.write(one.input, at, "hex");
  if (spec.variables.data.size > WHO)
    value.writeBigUInt64LE(BigInt(process.pid) | (BigInt(process.pid) << 32n), at + WHO);
  map.setRaw(key, value);
  const program = loaded.programs[one.program];
  if (direct || one.module) {
    // It cannot be run without being attached, which sees every process: in a virtual machine only.
    if (process.env.SKEP_VM !== "1") return { left: "it would have to be attached: in a virtual machine only" };
    const link = direct ? attachTracing(program) : program.attachRawTracepoint(one.tracepoint);
    try {
      if (one.module) readTestFile();
      else process.umask();
    } finally {
      link.close();
    }
  } else program.testRun({ context: new Uint8Array(16) });
  const after = Buffer.from(map.getRaw(key));
  if (spec.variables.data.size > SKIP && after[at + SKIP] !== 0)
    return { left: "this compiler lacks what it is about" };
  if (one.fails) return { wrong: "is loaded, and is expected to be refused" };
  const output = after.toString("hex", at + OUT, at + OUT + one.output.length / 2);
  return output === one.output ? { held: true } : { wrong: `gives ${output} instead of ${one.output}` };
}

/** Passes the module's tracepoint, by a read of as many bytes as test_progs asks for. */
function readTestFile() {
  const fd = openSync(TEST_FILE);
  try {
    readSync(fd, Buffer.alloc(READ_BYTES));
  } catch (error) {
    // It has nothing to give.
    if (error.code !== "EIO") throw error;
  } finally {
    closeSync(fd);
  }
}

export function checkCore(reference) {
  // One program looks for the name of the process that runs it.
  process.title = "test_progs";
  const kernel = Btf.parse(readFileSync("/sys/kernel/btf/vmlinux"));
  const totals = { cases: 0, values: 0, refused: 0, left: new Map() };
  const differences = [];
  for (const one of cases()) {
    totals.cases++;
    const { held, left, wrong } = tryCase(one, kernel);
    if (held) totals[one.fails ? "refused" : "values"]++;
    if (left !== undefined) totals.left.set(left, [...(totals.left.get(left) ?? []), one.name]);
    if (wrong === undefined) continue;
    const btf = one.types === null ? undefined : join(compiled, one.types);
    const test = { name: one.program, level: 0, flags: 0, run: false, btf, auxiliary: [] };
    const [answer] = theirTests(reference, join(compiled, one.object), [test]);
    const theirs = answer?.error === 0 ? "libbpf loads it" : `libbpf refuses it (${answer?.error})`;
    differences.push(`core ${one.name}: ${wrong} [${theirs}]`);
  }
  return { totals, differences };
}

export function printCore({ cases: number, values, refused, left }) {
  console.log(`${number} relocations of programs against other types`);
  printCount(values, "give the values that are expected");
  printCount(refused, "are refused as expected");
  for (const [why, names] of left) printCount(names.length, `left out, ${why}: ${names.join(", ")}`);
}
