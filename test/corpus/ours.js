// What Skep gives to the kernel for each program of an object, loaded by itself.
import { readFileSync } from "node:fs";
import { BpfAttr } from "../../dist/runtime/sys/index.js";
import { native } from "../../dist/runtime/sys/native.js";
import { AttachType, loadObject, openObject, ProgramType } from "../../dist/sdk/index.js";

// Without the addon everything would be refused, and agree with all that libbpf refuses.
native();

/** Code without descriptors: of maps, and of modules' types. */
function withoutDescriptors({ bytes, maps }) {
  const copy = Buffer.from(bytes);
  for (const { slot, valueOffset } of maps) {
    copy.writeInt32LE(0, slot * 8 + 4);
    copy.writeInt32LE(valueOffset ?? 0, slot * 8 + 12);
  }
  for (let at = 0; at + 16 <= copy.length; at += copy[at] === 0x18 ? 16 : 8)
    if (copy[at] === 0x18 && copy[at + 1] >> 4 === BTF_ID) copy.writeInt32LE(0, at + 12);
  return copy.toString("hex");
}

/** BPF_PSEUDO_BTF_ID: a variable of the kernel's. */
const BTF_ID = 3;

/** What the tools themselves set before they load their objects; as in reference.c. */
function withSizes(spec) {
  const sized = (map) => {
    const isSized = map.type === "hash" || map.type === "array" || map.type === "stack_trace";
    return {
      ...map,
      ...(map.maxEntries === 0 && isSized && { maxEntries: 64 }),
      ...(map.valueSize === 0 && map.type === "stack_trace" && { valueSize: 127 * 8 }),
    };
  };
  return { ...spec, maps: Object.fromEntries(Object.entries(spec.maps).map(([name, map]) => [name, sized(map)])) };
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
  return {
    byteOrder: spec.byteOrder,
    program(name) {
      const key = Object.hasOwn(spec.programs, name) ? name : undefined;
      if (key === undefined) return undefined;
      let seen;
      let failure;
      try {
        loadObject(spec, {
          programs: [key],
          observe: (_, prepared) => {
            seen = prepared;
          },
        }).close();
      } catch (error) {
        failure = error;
      }
      const { type, expectedAttachType, flags = 0 } = spec.programs[key];
      return {
        failure,
        ...(seen !== undefined && {
          type: ProgramType[type],
          attachType: expectedAttachType === undefined ? 0 : AttachType[expectedAttachType],
          flags,
          target: seen.attach?.id ?? 0,
          functions: (seen.info?.functions.length ?? 0) / 8,
          lines: (seen.info?.lines.length ?? 0) / 16,
          code: withoutDescriptors(seen.code),
        }),
      };
    },
  };
}

const LOG_SIZE = 2 << 20;
const NAME = 48;

/** Asks for a log of the given level with the first load of a program of that name, and returns what reads it. */
function logOf(name, level) {
  const original = BpfAttr.prototype.call;
  const log = new Uint8Array(LOG_SIZE);
  const wanted = Buffer.alloc(16);
  wanted.write(name.slice(0, 15));
  const isWanted = (attr) => [0, 4, 8, 12].every((at) => attr.read32(NAME + at) === wanted.readUInt32LE(at));
  let asked = false;
  BpfAttr.prototype.call = function (command) {
    if (command === "BPF_PROG_LOAD" && !asked && level > 0 && isWanted(this)) {
      asked = true;
      this.u32(24, level).u32(28, log.length).pointer(32, log);
    }
    return original.call(this, command);
  };
  return {
    text: () => (asked ? Buffer.from(log.subarray(0, log.indexOf(0))).toString("latin1") : undefined),
    [Symbol.dispose]() {
      BpfAttr.prototype.call = original;
    },
  };
}

/**
 * Loads a program as the kernel's own test_loader does: with more flags, a level of the log, auxiliary programs, and runs
 * it when that is asked for.
 */
export function ourTest(file, { name, level, flags, run, auxiliary, btf }) {
  const spec = openObject(file);
  const program = spec.programs[name];
  const object = {
    ...spec,
    programs: { ...spec.programs, [name]: { ...program, flags: (program.flags ?? 0) | flags } },
  };
  const log = logOf(name, level);
  try {
    const types = btf === undefined ? {} : { kernelBtf: readFileSync(btf) };
    const loaded = loadObject(object, { programs: [...new Set([...auxiliary, name])], ...types });
    try {
      return { log: log.text() ?? "", ...(run && runOnce(loaded.programs[name])) };
    } finally {
      loaded.close();
    }
  } catch (failure) {
    return { failure, log: log.text() ?? failure.log ?? "" };
  } finally {
    log[Symbol.dispose]();
  }
}

/** As test_loader runs programs: with a packet of zeros, those of type syscall without anything. */
function runOnce(program) {
  const options = program.spec.type === "syscall" ? {} : { data: new Uint8Array(64), dataOutSize: 256, repeat: 1 };
  try {
    return { retval: program.testRun(options).retval | 0 };
  } catch (error) {
    return { runFailure: error };
  }
}
