import { describe, expect, it } from "vitest";
import { Assembler, type Instruction, r0, r1, r2, r3, r4, r6, r7, r10 } from "../../../object/asm/index.ts";
import type { ObjectSpec, ProgramTypeName } from "../../../object/spec/index.ts";
import { argumentsContext, Machine, MachineFault, type MachineOptions, packetContext, World } from "../index.ts";

type Write = (a: Assembler) => Assembler;

const specOf = (write: Write, type: ProgramTypeName = "syscall"): ObjectSpec => ({
  maps: { m: { type: "array", keySize: 4, valueSize: 12, maxEntries: 1 } },
  programs: { p: { type, license: "GPL", instructions: write(new Assembler()).instructions() } },
});

const run = (write: Write, options?: MachineOptions, context?: Uint8Array) =>
  new Machine(specOf(write), options).run("p", context);

/** r0 of a program that ends with exit. */
const r0Of = (write: Write) => run((a) => write(a).exit()).r0;

function faultOf(make: () => unknown): MachineFault {
  try {
    make();
  } catch (error) {
    if (error instanceof MachineFault) return error;
    throw error;
  }
  throw new Error("there was no fault");
}

const fault = (write: Write, options?: MachineOptions, context?: Uint8Array) =>
  faultOf(() => run(write, options, context));

const MIN = 1n << 63n;
const MAX = (1n << 64n) - 1n;

describe("arithmetic at its edges", () => {
  const both = (a: bigint, b: bigint, operation: "add") =>
    r0Of((x) => x.loadImm64(r0, a).loadImm64(r1, b)[operation](r0, r1));
  const rows: readonly (readonly [operation: string, a: bigint, b: bigint, result: bigint])[] = [
    ["add", MAX, 1n, 0n],
    ["add", 0xffff_ffffn, 1n, 0x1_0000_0000n],
    ["sub", 0n, 1n, MAX],
    ["sub", 0x1_0000_0000n, 1n, 0xffff_ffffn],
    ["mul", MAX, MAX, 1n],
    ["mul", 0xffff_ffffn, 0xffff_ffffn, 0xffff_fffe_0000_0001n],
    [
      "mul",
      0x1234_5678_9abc_def0n,
      0xfedc_ba98_7654_3210n,
      BigInt.asUintN(64, 0x1234_5678_9abc_def0n * 0xfedc_ba98_7654_3210n),
    ],
    ["div", 7n, 0n, 0n],
    ["div", MAX, 1n, MAX],
    ["div", MAX, 0x1_0000_0000n, 0xffff_ffffn],
    ["mod", MAX, 0n, MAX],
    ["mod", MAX, 10n, 5n],
    ["sdiv", MIN, MAX, MIN],
    ["sdiv", BigInt.asUintN(64, -7n), 2n, BigInt.asUintN(64, -3n)],
    ["sdiv", 7n, 0n, 0n],
    ["smod", MIN, MAX, 0n],
    ["smod", BigInt.asUintN(64, -7n), 2n, MAX],
    ["smod", BigInt.asUintN(64, -7n), 0n, BigInt.asUintN(64, -7n)],
    ["div32", MAX, 0n, 0n],
    ["mod32", MAX, 0n, 0xffff_ffffn],
    ["sdiv32", 0x8000_0000n, MAX, 0x8000_0000n],
    ["smod32", 0x8000_0000n, MAX, 0n],
    ["smod32", 0xffff_fff9n, 2n, 0xffff_ffffn],
    ["mul32", 0xffff_ffffn, 0xffff_ffffn, 1n],
    ["lsh", 1n, 63n, MIN],
    ["lsh", 1n, 64n, 1n],
    ["lsh", MAX, 32n, 0xffff_ffff_0000_0000n],
    ["rsh", MIN, 63n, 1n],
    ["rsh", MAX, 32n, 0xffff_ffffn],
    ["arsh", MIN, 63n, MAX],
    ["arsh", MIN, 32n, 0xffff_ffff_8000_0000n],
    ["arsh", MIN, 127n, MAX],
    ["lsh32", 1n, 33n, 2n],
    ["arsh32", 0x8000_0000n, 31n, 0xffff_ffffn],
    ["rsh32", MAX, 0n, 0xffff_ffffn],
    ["mov32", 0n, MAX, 0xffff_ffffn],
  ];
  it.each(rows)("%s of %d and %d", (operation, a, b, result) => {
    expect(both(a, b, operation as "add")).toBe(result);
  });

  it("changes signs and bytes", () => {
    expect(r0Of((a) => a.loadImm64(r0, 1n << 32n).neg(r0))).toBe(0xffff_ffff_0000_0000n);
    expect(r0Of((a) => a.mov(r0, 0).neg(r0))).toBe(0n);
    expect(r0Of((a) => a.mov(r0, 1).neg32(r0))).toBe(0xffff_ffffn);
    expect(r0Of((a) => a.loadImm64(r0, 0x1122334455667788n).bswap(r0, 64))).toBe(0x8877665544332211n);
    expect(r0Of((a) => a.loadImm64(r0, 0x1122334455667788n).bswap(r0, 16))).toBe(0x8877n);
    expect(r0Of((a) => a.loadImm64(r0, 0x1122334455667788n).toBe(r0, 32))).toBe(0x88776655n);
    expect(r0Of((a) => a.loadImm64(r0, 0x1122334455667788n).toLe(r0, 32))).toBe(0x55667788n);
    expect(r0Of((a) => a.loadImm64(r1, 0x80n).movsx8(r0, r1))).toBe(0xffff_ffff_ffff_ff80n);
    expect(r0Of((a) => a.loadImm64(r1, 0x80n).movsx8To32(r0, r1))).toBe(0xffff_ff80n);
    expect(r0Of((a) => a.loadImm64(r1, 0xffff_ffffn).movsx32(r0, r1))).toBe(MAX);
  });

  it("compares halves as they belong together", () => {
    const taken = (
      name: "jgt" | "jsgt" | "jlt" | "jle" | "jslt" | "jsle" | "jset" | "jlt32" | "jsle32",
      a: bigint,
      b: bigint,
    ) =>
      r0Of((x) =>
        x.loadImm64(r1, a).loadImm64(r2, b).mov(r0, 1)[name](r1, r2, "yes").mov(r0, 0).label("yes").mov(r0, r0),
      );
    expect(taken("jgt", 0x1_0000_0000n, 0xffff_ffffn)).toBe(1n);
    expect(taken("jgt", MAX, 1n)).toBe(1n);
    expect(taken("jsgt", MAX, 1n)).toBe(0n);
    expect(taken("jsgt", 0x8000_0000n, 1n)).toBe(1n);
    expect(taken("jlt", 0x8000_0000n, 1n)).toBe(0n);
    expect(taken("jlt", 1n, MAX)).toBe(1n);
    expect(taken("jlt", MAX, MAX)).toBe(0n);
    expect(taken("jle", MAX, MAX)).toBe(1n);
    expect(taken("jle", MAX, 1n)).toBe(0n);
    expect(taken("jslt", MAX, 1n)).toBe(1n);
    expect(taken("jslt", 0x8000_0000n, 1n)).toBe(0n);
    expect(taken("jsle", 1n, MAX)).toBe(0n);
    expect(taken("jsle", MIN, MIN)).toBe(1n);
    expect(taken("jlt32", 0x1_0000_0001n, 2n)).toBe(1n);
    expect(taken("jsle32", 0x8000_0000n, 1n)).toBe(1n);
    expect(taken("jset", MIN, MAX)).toBe(1n);
    expect(taken("jset", MIN, 1n)).toBe(0n);
  });
});

describe("atomic operations", () => {
  const at = -8;
  const left = (write: Write) =>
    r0Of((a) => write(a.loadImm64(r1, 0xff00n).store("u64", r10, at, r1).mov(r2, 0x0ff0)).load("u64", r0, r10, at));

  it("combine", () => {
    expect(left((a) => a.atomicAdd("u64", r10, at, r2))).toBe(0x10ef0n);
    expect(left((a) => a.atomicOr("u64", r10, at, r2))).toBe(0xfff0n);
    expect(left((a) => a.atomicAnd("u32", r10, at, r2))).toBe(0x0f00n);
    expect(left((a) => a.atomicXor("u64", r10, at, r2))).toBe(0xf0f0n);
    expect(left((a) => a.xchg("u64", r10, at, r2))).toBe(0x0ff0n);
    expect(left((a) => a.mov(r0, 0xff00).cmpxchg("u64", r10, at, r2))).toBe(0x0ff0n);
    expect(left((a) => a.mov(r0, 1).cmpxchg("u64", r10, at, r2))).toBe(0xff00n);
    expect(left((a) => a.storeRelease("u16", r10, at, r2))).toBe(0x0ff0n);
  });

  it("give the old value", () => {
    const old = (write: Write) => r0Of((a) => write(a.mov(r1, -1).store("u64", r10, at, r1).mov(r2, 1)).mov(r0, r2));
    expect(old((a) => a.fetchAdd("u64", r10, at, r2))).toBe(MAX);
    expect(old((a) => a.fetchAdd("u32", r10, at, r2))).toBe(0xffff_ffffn);
    expect(old((a) => a.xchg("u32", r10, at, r2))).toBe(0xffff_ffffn);
    expect(old((a) => a.loadAcquire("u8", r2, r10, at))).toBe(0xffn);
    // r0 has the value before, whether it was changed or not.
    expect(r0Of((a) => a.mov(r1, -1).store("u64", r10, at, r1).mov(r0, 5).cmpxchg("u32", r10, at, r1))).toBe(
      0xffff_ffffn,
    );
  });

  it("want an address that is a multiple of the size", () => {
    const { code, message } = fault((a) =>
      a.mov(r1, 0).store("u64", r10, -8, r1).store("u64", r10, -16, r1).atomicAdd("u64", r10, -12, r1).exit(),
    );
    expect(code).toBe("MISALIGNED");
    expect(message).toMatch(
      /^Program "p", instruction 3 \(lock \*\(u64 \*\)\(r10 - 12\) \+= r1\): 8 bytes at offset -12 of the stack/,
    );
  });
});

describe("functions", () => {
  it("have frames of their own, and leave r6 to r9 as they were", () => {
    const result = r0Of((a) =>
      a
        .mov(r6, 7)
        .mov(r1, 1)
        .store("u64", r10, -8, r1)
        .callLocal("f")
        .load("u64", r1, r10, -8)
        .add(r0, r1)
        .add(r0, r6)
        .exit()
        .label("f")
        .mov(r6, 100)
        .store("u64", r10, -8, r6)
        .mov(r0, 1000),
    );
    expect(result).toBe(1008n);
  });

  it("see their callers' stack through pointers", () => {
    const result = r0Of((a) =>
      a.store("u64", r10, -8, 5).mov(r1, r10).add(r1, -8).callLocal("f").exit().label("f").load("u64", r0, r1, 0),
    );
    expect(result).toBe(5n);
  });

  it("are nested eight deep, and no deeper", () => {
    const { code, instruction } = fault((a) => a.label("f").callLocal("f").exit());
    expect([code, instruction]).toEqual(["CALL_DEPTH", 0]);
  });

  it("are called by bpf_loop, which stops where it is told", () => {
    const loop = (stop: number) =>
      r0Of((a) =>
        a
          .store("u64", r10, -8, 0)
          .mov(r1, 100)
          .loadFunction(r2, "turn")
          .mov(r3, r10)
          .add(r3, -8)
          .mov(r4, 0)
          .call("loop")
          .lsh(r0, 32)
          .load("u64", r1, r10, -8)
          .or(r0, r1)
          .exit()
          .label("turn")
          .load("u64", r3, r2, 0)
          .add(r3, r1)
          .store("u64", r2, 0, r3)
          .mov(r0, 0)
          .jne(r1, stop, 1)
          .mov(r0, 1),
      );
    expect(loop(200)).toBe((100n << 32n) | 4950n);
    expect(loop(9)).toBe((10n << 32n) | 45n);
  });

  it("pass may_goto eight million times each", () => {
    const count: Write = (a) => a.mov(r0, 0).label("x").mayGoto("y").add(r0, 1).ja("x").label("y").mov(r0, r0).exit();
    const both: Write = (a) => a.callLocal("f").mov(r6, r0).callLocal("f").lsh(r0, 32).or(r0, r6).exit().label("f");
    const { r0: turns } = run((a) => count(both(a)), { maxInstructions: 100_000_000 });
    expect([turns >> 32n, turns & 0xffff_ffffn]).toEqual([8_388_608n, 8_388_608n]);
  });

  it("are called through registers, by address or as a helper by its number", () => {
    const through = (write: Write) => r0Of((a) => write(a).raw({ opcode: 0x8d, dst: 7, src: 0, offset: 0, imm: 0 }));
    expect(through((a) => a.mov(r7, 8))).toBe(0n);
    expect(
      r0Of((a) =>
        a.loadFunction(r7, "f").raw({ opcode: 0x8d, dst: 7, src: 0, offset: 0, imm: 0 }).exit().label("f").mov(r0, 3),
      ),
    ).toBe(3n);
  });
});

describe("what no program may do", () => {
  const rows: readonly (readonly [what: string, code: string, write: Write])[] = [
    ["below the stack", "OUT_OF_BOUNDS", (a) => a.store("u64", r10, -520, 0).exit()],
    ["above the stack", "OUT_OF_BOUNDS", (a) => a.store("u8", r10, 0, 0).exit()],
    ["across the stack's end", "OUT_OF_BOUNDS", (a) => a.store("u64", r10, -4, 0).exit()],
    ["beyond a map's value", "OUT_OF_BOUNDS", (a) => a.loadMapValue(r1, "m", 8).load("u64", r0, r1, 0).exit()],
    ["into a map itself", "OUT_OF_BOUNDS", (a) => a.loadMap(r1, "m").load("u64", r0, r1, 0).exit()],
    ["through null", "NULL", (a) => a.mov(r1, 0).load("u32", r0, r1, 16).exit()],
    [
      "where there is nothing",
      "UNMAPPED",
      (a) => a.loadImm64(r1, 0xffff_8880_0000_0000n).load("u32", r0, r1, 0).exit(),
    ],
    ["at a user's address", "USER_MEMORY", (a) => a.loadImm64(r1, 0x7fff_0000_1000n).load("u32", r0, r1, 0).exit()],
    ["what was never written", "UNINITIALISED", (a) => a.load("u64", r0, r10, -8).exit()],
    ["what was written in part", "UNINITIALISED", (a) => a.store("u32", r10, -8, 1).load("u64", r0, r10, -8).exit()],
    ["stack at an odd address", "MISALIGNED", (a) => a.store("u32", r10, -7, 1).exit()],
    ["beyond its end", "BAD_INSTRUCTION", (a) => a.mov(r0, 0)],
    ["unknown helper", "UNKNOWN_HELPER", (a) => a.call(9999).exit()],
    ["helper that is not there", "UNKNOWN_HELPER", (a) => a.call("fib_lookup").exit()],
    ["kernel function that is not there", "UNKNOWN_KFUNC", (a) => a.callKfunc(5).exit()],
    ["no end", "ENDLESS", (a) => a.label("x").ja("x")],
    [
      "a key that was never written",
      "UNINITIALISED",
      (a) => a.loadMap(r1, "m").mov(r2, r10).add(r2, -4).call("map_lookup_elem").exit(),
    ],
    ["a key at null", "NULL", (a) => a.loadMap(r1, "m").mov(r2, 0).call("map_lookup_elem").exit()],
    [
      "no map",
      "BAD_ARGUMENT",
      (a) => a.store("u32", r10, -4, 0).mov(r1, r10).mov(r2, r10).add(r2, -4).call("map_lookup_elem").exit(),
    ],
  ];
  it.each(rows)("%s: %s", (_what, code, write) => {
    expect(fault(write, { maxInstructions: 1000 }).code).toBe(code);
  });

  it("is told of with the place in the source", () => {
    const source = { file: "x.bpf.ts", line: 3, column: 7, text: "return task.pid;" };
    const [load, ...rest] = new Assembler().load("u32", r0, r2, 16).exit().instructions() as [
      Instruction,
      ...Instruction[],
    ];
    const instructions = [...new Assembler().mov(r2, 0).instructions(), { ...load, source }, ...rest];
    const spec = { maps: {}, programs: { p: { type: "kprobe", license: "GPL", instructions } } } as const;
    const error = faultOf(() => new Machine(spec).run("p"));
    expect([error.program, error.instruction, error.source]).toEqual(["p", 1, "x.bpf.ts:3:7"]);
    expect(error.message).toBe(
      'Program "p", instruction 1 (r0 = *(u32 *)(r2 + 16), x.bpf.ts:3:7): It reads at 0x10: the pointer is null, and was not checked after a call that may fail.',
    );
  });

  it("writes to contexts and maps that are only read", () => {
    const write: Write = (a) => a.store("u64", r1, 0, 1).mov(r0, 0).exit();
    expect(faultOf(() => new Machine(specOf(write, "kprobe")).run("p", argumentsContext(1))).code).toBe("READ_ONLY");
    const context = argumentsContext(7);
    new Machine(specOf(write, "syscall")).run("p", context);
    expect(context).toEqual(argumentsContext(1));
    expect(fault((a) => a.mov(r0, 0).store("u64", r1, 0, 1).exit(), {}, new Uint8Array(4)).code).toBe("OUT_OF_BOUNDS");
  });

  it("is found before the program runs where it is no instruction", () => {
    const bad = (instruction: Partial<Instruction>) =>
      fault((a) => a.raw({ opcode: 0xb7, dst: 0, src: 0, offset: 0, imm: 0, ...instruction }).exit());
    expect(bad({ opcode: 0xff }).code).toBe("BAD_INSTRUCTION");
    expect(bad({ dst: 10 }).message).toContain("frame pointer");
    expect(bad({ dst: 12 }).code).toBe("BAD_INSTRUCTION");
    expect(bad({ opcode: 0x05, offset: 5 }).message).toContain("the program has ended");
    expect(bad({ opcode: 0x05, offset: -9 }).code).toBe("BAD_INSTRUCTION");
    expect(bad({ opcode: 0xdb, imm: 0x77 }).code).toBe("BAD_INSTRUCTION");
    expect(bad({ opcode: 0xd4, imm: 8 }).code).toBe("BAD_INSTRUCTION");
    expect(bad({ opcode: 0x05, target: "nowhere" }).message).toContain('the label "nowhere"');
    expect(fault((a) => a.loadMap(r1, "other").exit()).message).toContain('map "other"');
    expect(fault((a) => a.ja(1).loadImm64(r0, 1).exit()).message).toContain("wide load is in its middle");
  });

  it("in one program leaves the others alone", () => {
    const good = new Assembler().mov(r0, 1).exit().instructions();
    const bad = new Assembler().loadMap(r1, "none").exit().instructions();
    const program = { type: "syscall", license: "GPL" } as const;
    const machine = new Machine({
      maps: {},
      programs: { bad: { ...program, instructions: bad }, good: { ...program, instructions: good } },
    });
    expect(machine.run("good").result).toBe(1);
    expect(() => machine.run("bad")).toThrow(MachineFault);
  });
});

describe("reads through the kernel's typed pointers", () => {
  const write: Write = (a) => a.load("u64", r1, r1, 0).load("u32", r0, r1, 64).exit();

  it("of null are zero in tracing programs, and faults in others", () => {
    expect(new Machine(specOf(write, "tracing")).run("p", argumentsContext(0)).r0).toBe(0n);
    expect(faultOf(() => new Machine(specOf(write, "raw_tracepoint")).run("p", argumentsContext(0))).code).toBe("NULL");
    expect(
      faultOf(() => new Machine(specOf(write, "tracing"), { badReads: "fault" }).run("p", argumentsContext(0))).code,
    ).toBe("NULL");
  });

  it("of null are zero, too, where a helper gives such pointers", () => {
    const world = new World();
    world.task = world.kernel(new Uint8Array(64));
    const walk = (helper: "get_current_task" | "get_current_task_btf") =>
      new Machine(
        specOf((a) => a.call(helper).load("u64", r1, r0, 8).load("u32", r0, r1, 64).exit(), "kprobe"),
        { world },
      ).run("p").r0;
    expect(walk("get_current_task_btf")).toBe(0n);
    expect(faultOf(() => walk("get_current_task")).code).toBe("NULL");
  });

  it("read the world's memory, up to its end", () => {
    const world = new World();
    const task = world.kernel(new Uint8Array(68).fill(1));
    const machine = new Machine(specOf(write, "tracing"), { world });
    expect(machine.run("p", argumentsContext(task)).r0).toBe(0x01010101n);
    const short = world.kernel(new Uint8Array(66));
    expect(faultOf(() => machine.run("p", argumentsContext(short))).code).toBe("OUT_OF_BOUNDS");
  });

  it("never write", () => {
    const store: Write = (a) => a.mov(r1, 0).store("u64", r1, 0, 1).exit();
    expect(faultOf(() => new Machine(specOf(store, "tracing")).run("p")).code).toBe("NULL");
  });
});

describe("packets", () => {
  const parse: Write = (a) =>
    a
      .load("u32", r2, r1, 0)
      .load("u32", r3, r1, 4)
      .mov(r0, 0)
      .mov(r4, r2)
      .add(r4, 14)
      .jgt(r4, r3, "out")
      .load("u16", r0, r2, 12)
      .label("out")
      .exit();

  it("are read through data and data_end of XDP programs", () => {
    const machine = new Machine(specOf(parse, "xdp"));
    const packet = new Uint8Array(14);
    packet.set([0x08, 0x06], 12);
    expect(machine.run("p", packetContext("xdp", packet)).r0).toBe(0x0608n);
    expect(machine.run("p", packetContext("xdp", new Uint8Array(13))).r0).toBe(0n);
  });

  it("end where they end", () => {
    const careless: Write = (a) => a.load("u32", r2, r1, 76).load("u16", r0, r2, 12).exit();
    const machine = new Machine(specOf(careless, "sched_cls"));
    expect(faultOf(() => machine.run("p", packetContext("skb", new Uint8Array(13)))).code).toBe("OUT_OF_BOUNDS");
  });

  it("are read by the old loads, which end the program where the packet ends", () => {
    const old: Write = (a) => a.mov(r6, r1).mov(r7, 1).loadInd("u16", r7, 1).add(r0, 1).exit();
    const machine = new Machine(specOf(old, "socket_filter"));
    expect(machine.run("p", packetContext("skb", Uint8Array.of(0, 0, 0x12, 0x34))).r0).toBe(0x1235n);
    expect(machine.run("p", packetContext("skb", Uint8Array.of(0, 0, 0x12))).r0).toBe(0n);
  });
});

describe("a run", () => {
  it("counts its instructions, and tells of each that asks", () => {
    const steps: string[] = [];
    const machine = new Machine(specOf((a) => a.mov(r0, 2).label("l").sub(r0, 1).jne(r0, 0, "l").exit()));
    const result = machine.run("p", undefined, {
      trace: ({ instruction, text, changed, registers }) =>
        steps.push(`${instruction}: ${text} ${changed.map((n) => `r${n}=${registers[n]}`).join()}`.trim()),
    });
    expect(result).toEqual({ r0: 0n, result: 0, instructions: 6, output: "" });
    expect(steps.slice(0, 4)).toEqual([
      "0: r0 = 2 r0=2",
      "1: r0 -= 1 r0=1",
      "2: if r0 != 0 goto <l>",
      "1: r0 -= 1 r0=0",
    ]);
  });

  it("gives the result signed and r0 as it is", () => {
    expect(run((a) => a.mov(r0, -1).exit())).toMatchObject({ r0: MAX, result: -1 });
  });

  it("does what big-endian objects say", () => {
    const instructions = new Assembler().load("u32", r0, r1, 0).toBe(r0, 32).exit().instructions();
    const spec = {
      maps: {},
      programs: { p: { type: "syscall", license: "GPL", instructions } },
      byteOrder: "big",
    } as const;
    expect(new Machine(spec).run("p", Uint8Array.of(1, 2, 3, 4)).r0).toBe(0x01020304n);
  });

  it("refuses programs that there are not, and CPUs", () => {
    expect(() => new Machine(specOf((a) => a.exit())).run("q")).toThrow('The object has no program "q" (it has: p).');
    expect(() =>
      new Machine(
        specOf((a) => a.exit()),
        { world: new World({ cpu: 2 }) },
      ).run("p"),
    ).toThrow("The world is on CPU 2");
    expect(
      () =>
        new Machine(
          specOf((a) => a.exit()),
          { cpus: 0 },
        ),
    ).toThrow("at least one CPU");
  });
});
