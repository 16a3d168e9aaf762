// What Skep gives to the kernel for each program of an object, loaded by itself.
import { BpfAttr } from "../../dist/runtime/sys/index.js";
import { native } from "../../dist/runtime/sys/native.js";
import { attachStructOps, loadObject, openObject, StructOpsMap } from "../../dist/sdk/index.js";

// Without the addon everything would be refused, and agree with all that libbpf refuses.
native();

// Fields of BPF_PROG_LOAD's attributes, and what marks wide loads of descriptors (linux/bpf.h).
const NAME = 48;
const FIELDS = { type: 0, attachType: 68, flags: 44, target: 108, functions: 88, lines: 104 };
const MAP_FD = 1;
const MAP_VALUE = 2;
const BTF_ID = 3;
const LOG_SIZE = 2 << 20;

/** Calls `onLoad` with the attributes of each program of that name, just before the kernel gets them. */
function watch(name, onLoad) {
  const { value: original } = Object.getOwnPropertyDescriptor(BpfAttr.prototype, "call");
  const wanted = Buffer.alloc(16);
  wanted.write(name.slice(0, 15));
  const isWanted = (attr) => [0, 4, 8, 12].every((at) => attr.read32(NAME + at) === wanted.readUInt32LE(at));
  BpfAttr.prototype.call = function (command) {
    if (command === "BPF_PROG_LOAD" && isWanted(this)) onLoad(this);
    return original.call(this, command);
  };
  return () => {
    BpfAttr.prototype.call = original;
  };
}

/** Code without descriptors: of maps, and of modules' types. */
function withoutDescriptors({ bytes, maps }) {
  const copy = Buffer.from(bytes);
  for (const { slot, valueOffset } of maps) copy.writeInt32LE(valueOffset ?? 0, slot * 8 + 12);
  for (let at = 0; at + 16 <= copy.length; at += copy[at] === 0x18 ? 16 : 8) {
    if (copy[at] !== 0x18) continue;
    const source = copy[at + 1] >> 4;
    if (source === MAP_FD || source === MAP_VALUE) copy.writeInt32LE(0, at + 4);
    if (source === BTF_ID) copy.writeInt32LE(0, at + 12);
  }
  return copy.toString("hex");
}

/** A spec whose maps are changed one by one. */
export function withMaps(spec, change) {
  return { ...spec, maps: Object.fromEntries(Object.entries(spec.maps).map(([name, map]) => [name, change(map)])) };
}

/** What the tools themselves set before they load their objects; as in reference.c. */
function withSizes(spec) {
  return withMaps(spec, (map) => {
    const isSized = map.type === "hash" || map.type === "array" || map.type === "stack_trace";
    return {
      ...map,
      ...(map.maxEntries === 0 && isSized && { maxEntries: 64 }),
      ...(map.valueSize === 0 && map.type === "stack_trace" && { valueSize: 127 * 8 }),
    };
  });
}

/** An error of Skep's own has a code and a sentence; what has none is a fault of Skep's. */
export function isTyped(error) {
  return typeof error.code === "string" && !(error instanceof TypeError) && !(error instanceof RangeError);
}

/** `{ error }` for an object that cannot be read, or its `byteOrder` and `program(name)` that loads one. */
export function ours(file) {
  let spec;
  try {
    spec = withSizes(openObject(file));
  } catch (error) {
    return { error };
  }
  return { byteOrder: spec.byteOrder, program: (name) => loadOne(spec, name) };
}

/** What the kernel was given (nothing, where it was not asked), and the `failure` if there was one. */
function loadOne(spec, name) {
  if (!Object.hasOwn(spec.programs, name)) return undefined;
  let code;
  let attributes;
  let failure;
  const stop = watch(name, (attr) => {
    attributes = Object.fromEntries(Object.entries(FIELDS).map(([field, at]) => [field, attr.read32(at)]));
  });
  try {
    const observe = (_, prepared) => {
      code = withoutDescriptors(prepared.code);
    };
    loadObject(spec, { programs: [name], pinPath: false, observe }).close();
  } catch (error) {
    failure = error;
  }
  stop();
  return { failure, ...(attributes !== undefined && { ...attributes, code }) };
}

/**
 * Loads a program as the kernel's own test_loader does: with more flags, a level of the log, auxiliary programs, and runs
 * it when that is asked for.
 */
export function ourTest(file, { name, level, flags, run, auxiliary, btf, fill }) {
  const spec = openObject(file);
  const program = spec.programs[name];
  const changed = { ...program, flags: (program.flags ?? 0) | flags };
  const object = { ...spec, programs: { ...spec.programs, [name]: changed } };
  let log;
  const stop = watch(name, (attr) => {
    // Only the first time: Skep asks again when the kernel refuses.
    if (level === 0 || log !== undefined) return;
    log = new Uint8Array(LOG_SIZE);
    attr.u32(24, level).u32(28, log.length).pointer(32, log);
  });
  const text = () => (log === undefined ? undefined : Buffer.from(log.subarray(0, log.indexOf(0))).toString("latin1"));
  try {
    const types = btf === undefined ? {} : { kernelBtf: openObject(btf).btf };
    const tables = run && REGISTERS ? programsOfTables(spec) : [];
    const programs = [...new Set([...auxiliary, ...tables, name])];
    const loaded = loadObject(object, { programs, pinPath: false, ...types });
    const links = [];
    try {
      if (fill !== undefined) loaded.maps[fill].setRaw(new Uint8Array(4), TEST_VALUE);
      if (tables.length > 0)
        for (const map of Object.values(loaded.maps)) if (map instanceof StructOpsMap) links.push(attachStructOps(map));
      return { log: text() ?? "", ...(run && runOnce(loaded.programs[name])) };
    } finally {
      for (const link of links) link.close();
      loaded.close();
    }
  } catch (failure) {
    return { failure, log: text() ?? failure.log ?? "" };
  } finally {
    stop();
  }
}

/** Tables of functions are registered before a program is run, as test_loader does: for the whole machine, so in virtual ones only. */
const REGISTERS = process.env.SKEP_VM === "1";

/** The programs that an object's tables of functions need. */
function programsOfTables(spec) {
  return Object.entries(spec.programs)
    .filter(([, { type }]) => type === "struct_ops")
    .map(([name]) => name);
}

/** What prog_tests/verifier.c writes into a map before it runs programs (struct test_val). */
export const TEST_VALUE = new Uint8Array(48);
new DataView(TEST_VALUE.buffer).setUint32(0, 28, true);
new DataView(TEST_VALUE.buffer).setUint32(28, 0xabcdef12, true);

/** As test_loader runs programs: with a packet of zeros, those of type syscall without anything. */
function runOnce(program) {
  const options = program.spec.type === "syscall" ? {} : { data: new Uint8Array(64), dataOutSize: 256, repeat: 1 };
  try {
    return { retval: program.testRun(options).retval | 0 };
  } catch (error) {
    return { runFailure: error };
  }
}
