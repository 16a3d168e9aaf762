// Runs every vector of the eBPF conformance suite in this machine's kernel. Loads only, attaches nothing; needs root.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { after, before, describe, it } from "node:test";
import { Assembler, type Instruction, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 } from "../../src/object/asm/index.ts";
import {
  bytes,
  createMap,
  loadObject,
  type ObjectSpec,
  ProgramFlag,
  u32,
  u64,
  VerifierError,
} from "../../src/sdk/index.ts";
import { parseVector, type Vector } from "../support/conformance-assembly.ts";

const VECTORS = 313;
/** More would mean that the wrapper gives vectors less than they may count on. */
const MOST_REFUSALS = 25;
/** The kernel whose words test/data/conformance-refusals.json has. */
const LISTED_KERNEL = [6, 18] as const;
const MEMORY = 256;

// This file runs as dist-test/test/kernel/conformance.test.js.
const data = new URL("../../../test/data/", import.meta.url);
const suite = new URL("bpf_conformance/", data);
const refusals: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL("conformance-refusals.json", data), "utf8"),
);
const names = readdirSync(suite)
  .filter((file) => file.endsWith(".data"))
  .map((file) => file.slice(0, -".data".length));

type Version = readonly [major: number, minor: number];
const kernel = release().split(/[.-]/).slice(0, 2).map(Number) as unknown as Version;
const isAtLeast = ([major, minor]: Version) => kernel[0] > major || (kernel[0] === major && kernel[1] >= minor);
const isListedKernel = kernel[0] === LISTED_KERNEL[0] && kernel[1] === LISTED_KERNEL[1];

const specs = {
  memory: { type: "array", key: u32, value: bytes(MEMORY), maxEntries: 1 },
  result: { type: "array", key: u32, value: u64, maxEntries: 1 },
} as const;

/**
 * A vector ends with 64 bits in r0, a program with 32: so the vector is a function, and its caller keeps what it returns.
 * The suite lets vectors use any register and the stack without setting it first; the verifier does not, so all start
 * as zero.
 */
function wrap(vector: Vector): readonly Instruction[] {
  const a = new Assembler();
  if (vector.memory.length > 0) a.loadMapValue(r1, "memory", 0);
  else a.mov(r1, 0);
  a.mov(r2, vector.memory.length).mov(r3, 0).mov(r4, 0).mov(r5, 0).callLocal("conformance vector");
  a.loadMapValue(r1, "result", 0).store("u64", r1, 0, r0).mov(r0, 0).exit();
  a.label("conformance vector").mov(r0, 0).mov(r6, 0).mov(r7, 0).mov(r8, 0).mov(r9, 0);
  for (const instruction of vector.instructions) a.raw(instruction);
  return a.instructions();
}

/** The first kernel that knows all instructions of the vector. */
function neededKernel(instructions: readonly Instruction[]): Version {
  let needed: Version = [5, 1];
  for (const { opcode, offset, imm } of instructions) {
    const cls = opcode & 7;
    const isV4 =
      opcode === 0x06 ||
      opcode === 0xd7 ||
      ((cls === 4 || cls === 7) && offset !== 0) ||
      (cls === 1 && (opcode & 0xe0) === 0x80);
    if (isV4) return [6, 6];
    if (cls === 3 && (opcode & 0xe0) === 0xc0 && imm !== 0) needed = [5, 12];
  }
  return needed;
}

/** The verifier's own words on why: the last line of its log that is no statistic. */
function sentence(error: VerifierError): string {
  const lines = error.log
    .split("\n")
    .filter((line) => line !== "" && !/^(processed|verification time|stack depth)/.test(line));
  return lines.at(-1) ?? "";
}

function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  return isAtLeast([5, 14]) ? false : "programs of type syscall need Linux 5.14";
}

void describe("eBPF conformance suite", { skip: reasonToSkip() }, () => {
  const makeMaps = () => ({ memory: createMap(specs.memory, "memory"), result: createMap(specs.result, "result") });
  let maps: ReturnType<typeof makeMaps>;
  // Not while the file is read: another file's test may be running then, and would take them for its own leak.
  before(() => {
    maps = makeMaps();
  });
  after(() => {
    maps.memory.close();
    maps.result.close();
  });

  function run(vector: Vector): bigint {
    const spec = {
      maps: specs,
      programs: {
        vector: { type: "syscall", license: "Dual MIT/GPL", flags: ProgramFlag.sleepable, instructions: wrap(vector) },
      },
    } as const satisfies ObjectSpec;
    const memory = new Uint8Array(MEMORY);
    memory.set(vector.memory);
    maps.memory.set(0, memory);
    maps.result.set(0, 0xdeadn);
    using object = loadObject(spec, { maps });
    object.programs.vector.testRun();
    return maps.result.get(0) as bigint;
  }

  void it("is complete, and its refusals are few and of it", () => {
    assert.equal(names.length, VECTORS);
    assert.ok(Object.keys(refusals).length <= MOST_REFUSALS);
    for (const name of Object.keys(refusals)) assert.ok(names.includes(name), `${name} is no vector`);
  });

  for (const name of names) {
    void it(name, (t) => {
      const vector = parseVector(readFileSync(new URL(`${name}.data`, suite), "utf8"));
      const needed = neededKernel(vector.instructions);
      if (!isAtLeast(needed)) return t.skip(`its instructions need Linux ${needed.join(".")}`);
      let result: bigint;
      try {
        result = run(vector);
      } catch (error) {
        if (!(error instanceof VerifierError)) throw error;
        const listed = refusals[name];
        if (listed === undefined && !isAtLeast([6, 12])) return t.skip(`this kernel's verifier: ${sentence(error)}`);
        assert.ok(listed !== undefined, error.message);
        if (isListedKernel) assert.equal(sentence(error), listed);
        return;
      }
      assert.equal(`0x${result.toString(16)}`, `0x${vector.result.toString(16)}`);
      if (isListedKernel) assert.equal(refusals[name], undefined, "listed as refused, but it runs");
    });
  }
});
