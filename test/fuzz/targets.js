// What is fed with broken inputs: for each target the whole inputs that are changed, what counts as a header that is taken,
// and all that is done with what was read.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { render } from "../../dist/language/compiler/diagnostics/index.js";
import { explainRejection } from "../../dist/language/compiler/verifier-log/index.js";
import {
  Btf,
  BtfBuilder,
  CoreResolver,
  dedup,
  describeType,
  printC,
  printType,
  readExtInfo,
} from "../../dist/object/btf/index.js";
import { NameIndex } from "../../dist/object/btf/name-index.js";
import { layoutOf } from "../../dist/object/codec/index.js";
import { readTables } from "../../dist/object/elf/elf-tables.js";
import {
  findSymbols,
  parseElf,
  parseUsdtArguments,
  readDebugLink,
  readUsdtPlaces,
} from "../../dist/object/elf/index.js";
import { encodeProgram, rawOf, readObject } from "../../dist/object/spec/index.js";
import { explain, explanationText } from "../../dist/runtime/load/verifier/explain.js";
import { loadObject, VerifierError } from "../../dist/sdk/index.js";
import { probedElf } from "../../dist-test/test/support/probed-elf.js";

const objects = fileURLToPath(new URL("../fixtures/objects/", import.meta.url));
const files = readdirSync(objects)
  .filter((name) => name.endsWith(".o"))
  .map((name) => new Uint8Array(readFileSync(join(objects, name))));
const section = (bytes, name) => parseElf(bytes).sections.find((one) => one.name === name);

/** Errors that a broken input may come to. */
export const TYPED = /^SKEP_(ELF|USDT_ARGUMENT|BTF|OBJECT_FILE|ASM|CODEC|CORE_RELOCATION)$/;

/** Runs what may refuse; anything but a typed error goes on. */
function may(action) {
  try {
    return action();
  } catch (error) {
    if (!TYPED.test(error.code ?? "")) throw error;
    return undefined;
  }
}

/** Slow parts are done for one input in so many. */
const RARELY = 16;

function readBtf(bytes, i) {
  const btf = Btf.parse(bytes);
  for (let id = 1; id < btf.endId; id++) {
    const type = btf.type(id);
    may(() => btf.sizeOf(id));
    may(() => layoutOf(btf, id));
    if (i % 4 === 0) may(() => printType(btf, id));
    if (i % RARELY === 1) may(() => describeType(btf, id));
    if (id === 1) may(() => btf.findAll(type.name));
  }
  btf.candidates("task_struct");
  btf.find("key", "struct");
  if (i % RARELY === 2) may(() => printC(btf));
  if (i % RARELY === 3) may(() => dedup(btf));
  if (i % RARELY === 4) {
    const builder = new BtfBuilder({ byteOrder: btf.byteOrder });
    may(() => builder.addAll(btf));
    may(() => builder.addAll(small));
    // What was written must be read again.
    const built = may(() => builder.build());
    if (built !== undefined) Btf.parse(built).type(0);
  }
  if (i % RARELY === 5) {
    // The same as a module's, which goes on from other types.
    const split = Btf.parse(bytes, { base: small });
    for (let id = split.firstId; id < split.endId; id++) may(() => split.type(id));
    may(() => split.candidates("key"));
    may(() => dedup(split));
  }
  if (i % RARELY === 6) relocate(small, btf);
  if (i % RARELY === 7) relocateAnything(btf, i % 3 === 0 ? small : btf, i);
  if (i % RARELY === 8) {
    const index = new NameIndex(bytes.subarray(bytes.length >> 1), i % 2 === 0);
    for (const name of ["key", "value", "task_struct", "a", "key", "no___such"]) {
      index.exact(name);
      index.candidates(name);
    }
  }
}

const KINDS = [
  ...["fieldByteOffset", "fieldByteSize", "fieldExists", "fieldSigned", "fieldLeftShift", "fieldRightShift"],
  ...["typeIdLocal", "typeIdTarget", "typeExists", "typeSize", "enumValueExists", "enumValue", "typeMatches"],
];
const ACCESSES = [
  "0",
  "0:0",
  "0:1",
  "0:2:0",
  "0:1:1:0",
  "1:0",
  "2",
  "x",
  "0:99",
  "0:0:0:0:0:0:0:0:0:0",
  "0:4294967296",
];

/** Relocations of every kind, of every type, by paths that may lead nowhere. */
function relocateAnything(local, kernel, i) {
  const resolver = new CoreResolver(local, { kernel });
  for (let type = 0; type < local.endId + 1; type++)
    for (const [n, access] of ACCESSES.entries())
      may(() => resolver.resolve({ kind: KINDS[(i + type + n) % KINDS.length], type, access }));
}

/** Types of every kind, in shapes that compilers make rarely. */
function richTable() {
  const builder = new BtfBuilder();
  const int = { kind: "int", name: "int", size: 4, bits: 32, bitOffset: 0, signed: true, char: false, bool: false };
  const at = (name, type, bitOffset, bitSize = 0) => ({ name, type, bitOffset, bitSize });
  builder.add(int);
  builder.add({ ...int, name: "u64", size: 8, bits: 64, signed: false });
  builder.add({ ...int, name: "bool", size: 1, bits: 8, signed: false, bool: true });
  builder.add({ ...int, name: "old", bits: 3, bitOffset: 2 });
  builder.add({ kind: "float", name: "double", size: 8 });
  builder.add({ kind: "array", name: "", element: 1, index: 1, length: 3 });
  builder.add({ kind: "array", name: "", element: 6, index: 1, length: 0 });
  builder.add({ kind: "union", name: "", size: 8, members: [at("x", 1, 0), at("y", 2, 0)] });
  builder.add({ kind: "struct", name: "", size: 8, members: [at("p", 1, 0), at("q", 1, 32)] });
  builder.add({
    kind: "struct",
    name: "key",
    size: 40,
    members: [
      at("", 8, 0),
      at("", 9, 64),
      at("b", 1, 128, 3),
      at("c", 1, 131, 5),
      at("old", 4, 160),
      at("d", 5, 192),
      at("tail", 7, 320),
    ],
  });
  builder.add({ kind: "struct", name: "key___flavour", size: 9, members: [at("a", 3, 0), at("u", 2, 8)] });
  builder.add({ kind: "forward", name: "key", union: false });
  builder.add({ kind: "pointer", name: "", type: 12 });
  builder.add({ kind: "const", name: "", type: 13 });
  builder.add({ kind: "volatile", name: "", type: 14 });
  builder.add({ kind: "restrict", name: "", type: 13 });
  builder.add({ kind: "typedef", name: "value", type: 15 });
  builder.add({ kind: "typeTag", name: "user", type: 1 });
  builder.add({ kind: "pointer", name: "", type: 18 });
  builder.add({
    kind: "enum",
    name: "colour",
    size: 4,
    signed: true,
    values: [
      { name: "RED", value: -1 },
      { name: "B___x", value: 2 },
    ],
  });
  builder.add({ kind: "enum64", name: "large", size: 8, signed: false, values: [{ name: "L", value: 2n ** 63n }] });
  builder.add({ kind: "enum", name: "later", size: 4, signed: false, values: [] });
  builder.add({
    kind: "prototype",
    name: "",
    result: 1,
    parameters: [
      { name: "a", type: 2 },
      { name: "", type: 0 },
    ],
  });
  builder.add({ kind: "function", name: "entry", type: 23, linkage: "global" });
  builder.add({ kind: "pointer", name: "", type: 23 });
  builder.add({ kind: "variable", name: "v", type: 10, linkage: "static" });
  builder.add({ kind: "section", name: ".data", size: 40, variables: [{ type: 26, offset: 0, size: 40 }] });
  builder.add({ kind: "declTag", name: "tag", type: 10, component: 2 });
  builder.add({
    kind: "struct",
    name: "node",
    size: 16,
    members: [at("next", 30, 0), at("colour", 20, 64), at("fn", 25, 64)],
  });
  builder.add({ kind: "pointer", name: "", type: 29 });
  return builder.build();
}

const small = Btf.parse(section(readFileSync(join(objects, "core.el.o")), ".BTF").data.slice());
const wanted = relocationsOf(new Uint8Array(readFileSync(join(objects, "core.el.o"))));

function relocationsOf(bytes) {
  const spec = readObject(bytes);
  return Object.values(spec.programs).flatMap(({ instructions }) =>
    instructions.flatMap(({ relocation }) => relocation ?? []),
  );
}

/** All relocations of an object against types that may be anything. */
function relocate(local, kernel) {
  const resolver = new CoreResolver(local, { kernel });
  for (const relocation of wanted) may(() => resolver.resolve(relocation));
}

/** What a program is loaded from when nobody looks at it must be what its instructions say. */
function sameCode(programs) {
  for (const [name, program] of Object.entries(programs)) {
    const raw = rawOf(program);
    const code = may(() => encodeProgram(program.instructions));
    if (code !== undefined && Buffer.compare(Buffer.from(raw.words.buffer), code.bytes) !== 0)
      throw new Error(`program ${name} is other code than its instructions`);
  }
}

function readElf(bytes, i) {
  const spec = readObject(bytes);
  sameCode(spec.programs);
  if (i % RARELY !== 0 || spec.btf === undefined) return;
  const resolver = new CoreResolver(spec.btf, { kernel: small });
  for (const { instructions } of Object.values(spec.programs))
    for (const { relocation } of instructions) if (relocation !== undefined) may(() => resolver.resolve(relocation));
  may(() => findSymbols(reader(bytes), new Set(["entry", "nothing"])));
}

const reader = (bytes) => (offset, length) => bytes.subarray(offset, offset + length);

/** Programs with probes in them, of both classes and byte orders. */
function probedFiles() {
  const probe = { provider: "app", name: "start", argumentText: "-4@%edi 8@-16(%rbp,%rax,8) 2@$7", address: 0x1210 };
  const probes = [probe, { ...probe, name: "end", semaphore: 0x3302 }];
  return [32, 64].flatMap((bits) =>
    [true, false].map((little) =>
      probedElf({ bits, little, probes, base: [0x5000, 0x5000], symbol: ["entry", 0x1220] }),
    ),
  );
}

function readProbes(bytes) {
  const read = reader(bytes);
  const { tables, places } = readUsdtPlaces(read);
  for (const { argumentText } of places) may(() => parseUsdtArguments(argumentText, tables.machine));
  may(() => findSymbols(read, new Set(["entry", "nothing"])));
  may(() => readDebugLink(tables, read));
}

/** Real logs of the verifier, as far as this machine may load programs. */
function logs() {
  const found = [];
  for (const name of ["refused.el.o", "core.el.o"]) {
    const spec = readObject(new Uint8Array(readFileSync(join(objects, name))));
    for (const program of Object.keys(spec.programs)) {
      try {
        loadObject(spec, { programs: [program], pinPath: false }).close();
      } catch (error) {
        if (!(error instanceof VerifierError)) throw error;
        found.push({ log: error.log, instructions: spec.programs[program].instructions, btf: spec.btf });
      }
    }
  }
  return found;
}

/** A source that the places of programs are made up in. */
const SOURCES = [{ name: "fuzz.bpf.ts", text: "const value = map.get(key);\n".repeat(40) }];
const spansOf = (instructions) => instructions.map((_, i) => ({ file: 0, start: i * 7, end: i * 7 + 5 }));

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const TARGETS = {
  elf: () => ({ seeds: files, header: parseElf, read: readElf }),
  usdt: () => ({ seeds: probedFiles(), header: (bytes) => readTables(reader(bytes)), read: readProbes }),
  btf: () => ({
    seeds: [...files.map((bytes) => section(bytes, ".BTF").data.slice()), ...new Array(4).fill(richTable())],
    header: (bytes) => Btf.parse(bytes),
    read: readBtf,
  }),
  ext: () => ({
    seeds: files.flatMap((bytes) => section(bytes, ".BTF.ext")?.data.slice() ?? []),
    header: (bytes) => bytes.length >= 24,
    read: (bytes) => readExtInfo(bytes, (offset) => small.text(offset)),
  }),
  log: () => {
    const seeds = logs();
    if (seeds.length === 0) throw new Error("the verifier refused nothing here: run as root");
    return {
      seeds: seeds.map(({ log }) => encoder.encode(log)),
      header: (bytes) => bytes.length > 0,
      read(bytes, i) {
        const { instructions, btf } = seeds[i % seeds.length];
        const log = decoder.decode(bytes);
        const explanation = explain(log, instructions, btf);
        explanationText(explanation);
        const variableIn = (at, register) => (at % 3 === 0 ? `v${register}` : undefined);
        const functions = new Map([["main", { spans: spansOf(instructions), variableIn }]]);
        const labelled = [{ ...instructions[0], label: "main" }, ...instructions.slice(1)];
        const diagnostic = explainRejection({ program: "p", log, instructions: labelled, functions, sources: SOURCES });
        render([diagnostic], SOURCES);
      },
    };
  },
};
