import type { Gen } from "./gen.ts";
import { least, most } from "./number.ts";
import { BOOL, descriptor, INTS, type Int, STORED, type Struct, type Type, U8, U32, U64, valueType } from "./types.ts";

/** All words of `skep/kernel` that programs use, in one import. */
export const WORDS = [
  ..."abs array arrayMap atMost avg be16 be32 be64 bool bytes cgroupId clz32 comm counter cpu exists gid".split(" "),
  ..."global hash histogram htonl htonll htons i16 i32 i64 i64n i8 jiffies kernelStr ktime ktimeBoot".split(" "),
  ..."linear log2 max min ntohl ntohll ntohs numaNode param pid print progArray random range rawTracepoint".split(" "),
  ..."ringbuf stackTraces str struct sum syscall task taskStorage tid u16 u32 u64 u64n u8 uid zeros".split(" "),
  "EPERM",
  "EINVAL",
];
const TYPES = ["type Bytes", "type Cell", "type Kernel", "type Str"];

export function imports(): string {
  return `import { ${[...WORDS, ...TYPES].join(", ")} } from "skep/kernel";`;
}

/** An integer as a constant: small ones, those at ends of ranges, any. */
export function constantOf(g: Gen, type: Int): bigint {
  const { random } = g;
  const [lo, hi] = [least(type), most(type)];
  const small = BigInt(random.below(20));
  switch (random.below(6)) {
    case 0:
      return hi - small;
    case 1:
      return lo + small;
    case 2: {
      const bits = random.bits(random.between(1, type.bits));
      return type.signed ? BigInt.asIntN(type.bits, bits) : BigInt.asUintN(type.bits, bits);
    }
    case 3:
      return type.signed ? -small : small;
    default:
      return small < hi ? small : hi;
  }
}

/** A number in one of the ways that it can be written. */
export function spelled(g: Gen, value: bigint): string {
  if (value < 0n) return String(value);
  switch (g.random.below(8)) {
    case 0:
      g.use("literal hexadecimal");
      return `0x${value.toString(16)}`;
    case 1:
      g.use("literal binary");
      return value < 256n ? `0b${value.toString(2)}` : String(value);
    case 2:
      g.use("literal with _");
      return String(value).replace(/\B(?=(\d{3})+$)/g, "_");
    default:
      return String(value);
  }
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz-_ /.0123456789";

export function textOf(g: Gen, size: number): string {
  const { random } = g;
  if (random.chance(8)) return "";
  let text = "";
  for (let i = random.between(1, Math.min(size - 1, 12)); i > 0; i--) text += LETTERS[random.below(LETTERS.length)];
  return text;
}

function intType(g: Gen): Int {
  return g.random.pick(INTS);
}

/** A type of a field; `room`: bytes that it may take, about. */
function fieldType(g: Gen, room: number): Type {
  const { random } = g;
  return random.weighted<() => Type>([
    [10, () => intType(g)],
    [
      3,
      () => {
        const [word, value] = random.pick(STORED);
        g.use(`type ${word}`);
        return { ...value, word };
      },
    ],
    [3, () => BOOL],
    [room >= 16 ? 3 : 0, () => ({ kind: "str", size: random.pick([4, 8, 12, 16]) })],
    [room >= 8 ? 2 : 0, () => ({ kind: "bytes", size: random.pick([1, 3, 4, 6, 8]) })],
    [
      room >= 32 ? 3 : 0,
      () => ({ kind: "array", of: random.chance(25) ? BOOL : intType(g), length: random.pick([1, 2, 3, 4]) }),
    ],
    [
      room >= 24 && g.structs.length > 0 ? 2 : 0,
      () => random.pick(g.structs.filter(({ fields }) => fields.length <= 4).concat(g.structs[0] as Struct)),
    ],
    [
      room >= 48 && g.structs.length > 0 ? 1 : 0,
      () => ({ kind: "array", of: g.structs[0] as Struct, length: 2 }) as Type,
    ],
  ])();
}

function structOf(g: Gen, name: string, fields: number, room: number): Struct {
  const list = Array.from({ length: fields }, (_, i) => ({ name: `f${i}`, type: fieldType(g, room) }));
  for (const { type } of list) g.use(`field ${type.kind === "int" ? type.word : type.kind}`);
  return { kind: "struct", name, fields: list };
}

function fieldsText({ fields }: Struct): string {
  return fields.map(({ name, type }) => `${name}: ${descriptor(type)}`).join(", ");
}

/** A constant value of a type, as a parameter or global begins with. */
export function initial(g: Gen, type: Type): string {
  switch (type.kind) {
    case "int":
      return spelled(g, constantOf(g, valueType(type)));
    case "bool":
      return String(g.random.chance(50));
    case "str":
      return JSON.stringify(textOf(g, type.size));
    case "bytes":
      return `[${Array.from({ length: type.size }, () => g.random.below(256)).join(", ")}]`;
    case "array":
      return `[${Array.from({ length: type.length }, () => initial(g, type.of)).join(", ")}]`;
    case "struct":
      return `{ ${type.fields.map((field) => `${field.name}: ${initial(g, field.type)}`).join(", ")} }`;
  }
}

/** Structs, constants, parameters, globals, maps: what the programs of a module use. */
export function declare(g: Gen): string[] {
  const { random } = g;
  const lines: string[] = [];
  for (let i = random.between(2, 4); i > 0; i--) {
    const struct = structOf(g, g.name("S"), g.structs.length === 0 ? 2 : random.between(1, 6), g.structs.length * 24);
    lines.push(`const ${struct.name} = struct({ ${fieldsText(struct)} });`);
    g.structs.push(struct);
    g.use("struct");
  }
  for (let i = random.between(1, 3); i > 0; i--) {
    const name = g.name("K");
    const value = BigInt(random.between(1, 4000));
    const factor = random.between(2, 9);
    const form = random.below(4);
    if (form === 0) {
      lines.push(`const ${name} = { a: ${value}, b: [${value + 1n}, ${value + 2n}] } as const;`);
      g.constants.push({ text: `${name}.a`, value }, { text: `${name}.b[1]`, value: value + 2n });
      g.use("constant table");
    } else if (form === 1) {
      lines.push(`const ${name} = ${value} * ${factor} + 1;`);
      g.constants.push({ text: name, value: value * BigInt(factor) + 1n });
      g.use("constant computed");
    } else {
      lines.push(`const ${name} = ${spelled(g, value)};`);
      g.constants.push({ text: name, value });
      g.use("constant");
    }
  }
  const stored = (): Type => (random.chance(70) ? intType(g) : fieldType(g, 40));
  for (let i = random.between(1, 3); i > 0; i--) {
    const [name, type] = [g.name("p"), stored()];
    lines.push(`export const ${name} = param(${descriptor(type)}, ${initial(g, type)});`);
    g.params.push({ name, type });
    g.use(`param ${type.kind}`);
  }
  for (let i = random.between(1, 4); i > 0; i--) {
    const [name, type] = [g.name("g"), random.chance(50) ? random.pick([U32, U64, ...INTS]) : fieldType(g, 60)];
    const first = random.chance(60) ? `, ${initial(g, type)}` : "";
    lines.push(`export const ${name} = global(${descriptor(type)}${first});`);
    g.globals.push({ name, type });
    g.use(`global ${type.kind}`);
  }
  lines.push(...maps(g), ...aggregations(g));
  for (let i = random.between(1, 2); i > 0; i--) {
    const [name, event] = [g.name("R"), structOf(g, g.name("E"), random.between(1, 6), 80)];
    lines.push(`const ${event.name} = struct({ ${fieldsText(event)} });`);
    const isMixed = random.chance(35);
    const type = isMixed ? "" : `${event.name}, `;
    lines.push(`export const ${name} = ringbuf(${type}{ bytes: ${random.chance(10) ? 4096 : 1 << 16} });`);
    g.rings.push({ name, event, isMixed });
    g.use(isMixed ? "ringbuf of several types" : "ringbuf");
  }
  return lines;
}

function keyType(g: Gen): Type {
  const { random } = g;
  return random.weighted<() => Type>([
    [8, () => random.pick(INTS)],
    [2, () => ({ kind: "str", size: random.pick([4, 8, 16]) })],
    [1, () => ({ kind: "bytes", size: random.pick([3, 4, 8]) })],
    [3, () => random.pick(g.structs)],
    [1, () => BOOL],
  ])();
}

function mapValue(g: Gen): Type {
  const { random } = g;
  return random.weighted<() => Type>([
    [8, () => random.pick([...INTS, U64, U32])],
    [6, () => random.pick(g.structs)],
    [1, () => BOOL],
    [1, () => ({ kind: "str", size: 16 })],
    [1, () => ({ kind: "array", of: random.pick(INTS), length: random.pick([2, 4, 7]) })],
  ])();
}

function maps(g: Gen): string[] {
  const { random } = g;
  const lines: string[] = [];
  for (let i = random.between(2, 4); i > 0; i--) {
    const [name, key, value] = [g.name("h"), keyType(g), mapValue(g)];
    const lru = random.chance(20);
    const perCpu = random.chance(25);
    const max = lru ? 2048 : random.chance(20) ? random.between(1, 4) : 64;
    const options = [`max: ${max}`, lru && "lru: true", perCpu && "perCpu: true"].filter(Boolean).join(", ");
    lines.push(`export const ${name} = hash(${descriptor(key)}, ${descriptor(value)}, { ${options} });`);
    g.hashes.push({ kind: "hash", name, key, value, byValue: random.chance(50), perCpu });
    g.use(`hash${lru ? " lru" : ""}${perCpu ? " perCpu" : ""}`);
    g.use(`key ${key.kind}`);
    g.use(`value ${value.kind}`);
  }
  for (let i = random.between(1, 3); i > 0; i--) {
    const [name, value, perCpu] = [g.name("a"), mapValue(g), random.chance(30)];
    const length = random.pick([1, 2, 4, 7, 16, 100, 256]);
    lines.push(
      `export const ${name} = arrayMap(${descriptor(value)}, ${length}${perCpu ? ", { perCpu: true }" : ""});`,
    );
    g.arrays.push({ kind: "array", name, value, length, perCpu });
    g.use(`arrayMap${perCpu ? " perCpu" : ""}`);
  }
  return lines;
}

const AGGREGATIONS = ["counter", "sum", "avg", "min", "max", "histogram", "linear"] as const;

function aggregations(g: Gen): string[] {
  const { random } = g;
  const lines: string[] = [];
  for (let i = random.between(1, 3); i > 0; i--) {
    const [name, word] = [g.name("n"), random.pick(AGGREGATIONS)];
    const key = random.chance(60)
      ? random.pick<Type>([U32, U64, U8, { kind: "str", size: 16 }, ...g.structs])
      : undefined;
    const options =
      word === "linear"
        ? `{ min: ${random.pick([-100, 0, 10])}, max: ${random.pick([100, 1000])}, step: ${random.pick([1, 7, 50])}, entries: 256 }`
        : word === "histogram" && random.chance(60)
          ? `{ max: 256, bits: ${random.below(6)} }`
          : "{ max: 256 }";
    lines.push(`export const ${name} = ${word}(${key === undefined ? "" : `${descriptor(key)}, `}${options});`);
    g.aggregations.push({ name, key, word });
    g.use(`${word}${key === undefined ? "" : " by key"}`);
  }
  if (g.profile.task && random.chance(40)) {
    const [name, type] = [g.name("t"), random.chance(50) ? U64 : random.pick(g.structs)];
    lines.push(`export const ${name} = taskStorage(${descriptor(type)});`);
    g.storages.push({ name, type });
    g.use("taskStorage");
  }
  // Programs that may sleep, as those that are only run do, cannot have them.
  if (g.profile.kind !== "syscall" && random.chance(20)) {
    g.stacks = g.name("z");
    lines.push(`export const ${g.stacks} = stackTraces(64);`);
    g.use("stackTraces");
  }
  return lines;
}
