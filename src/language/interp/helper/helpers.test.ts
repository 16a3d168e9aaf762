import { describe, expect, it } from "vitest";
import {
  Assembler,
  type HelperName,
  type Instruction,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r10,
} from "../../../object/asm/index.ts";
import { bytes, u32 } from "../../../object/codec/index.ts";
import { MapFlag } from "../../../object/spec/index.ts";
import { argumentsContext, Machine, MachineFault, type MachineOptions, type RunOptions, World } from "../index.ts";

type Write = (a: Assembler) => Assembler;

const ROOM = 64;
const constant = (text: string) =>
  ({
    type: "array",
    key: u32,
    value: bytes(ROOM),
    maxEntries: 1,
    flags: MapFlag.rdonly_prog,
    contents: new TextEncoder().encode(text),
  }) as const;

/** A machine whose program may use map `out` (64 bytes to be written) and `text` (a constant). */
function machineOf(write: Write, options: MachineOptions = {}, text = "") {
  const instructions = write(new Assembler()).exit().instructions();
  return new Machine(
    {
      maps: { out: { type: "array", key: u32, value: bytes(ROOM), maxEntries: 1 }, text: constant(text) },
      programs: { p: { type: "kprobe", license: "GPL", instructions } },
    },
    options,
  );
}

const r0Of = (write: Write, options: MachineOptions = {}, run: RunOptions = {}, context?: Uint8Array) =>
  machineOf(write, options).run("p", context, run).r0;

/** r0 as a number with a sign, and the text that stands in `out` up to its NUL. */
function answer(machine: ReturnType<typeof machineOf>, context?: Uint8Array): readonly [number, string] {
  const { result } = machine.run("p", context);
  const out = machine.maps.out.get(0) as Uint8Array;
  return [result, new TextDecoder().decode(out.subarray(0, out.indexOf(0)))];
}

function fault(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof MachineFault) return error.code;
    throw error;
  }
  return "none";
}

describe("who and when", () => {
  const world = new World({
    pid: 7,
    tid: 8,
    uid: 1,
    gid: 2,
    comm: "a-name-of-20-letters",
    now: 1000n,
    tick: 5,
    cgroupId: 77,
    cpu: 1,
  });
  const rows: readonly (readonly [HelperName, bigint])[] = [
    ["get_current_pid_tgid", (7n << 32n) | 8n],
    ["get_current_uid_gid", (2n << 32n) | 1n],
    ["get_current_cgroup_id", 77n],
    ["get_smp_processor_id", 1n],
    ["get_numa_node_id", 0n],
    ["ktime_get_ns", 1000n],
    ["ktime_get_ns", 1005n],
    ["ktime_get_boot_ns", 1010n + 100n],
    ["ktime_get_coarse_ns", 1015n],
    ["ktime_get_tai_ns", 1020n + 37n],
    ["jiffies64", 0n],
  ];
  world.slept = 100n;
  world.taiOffset = 37n;

  it("is what the world says", () => {
    for (const [helper, value] of rows)
      expect([helper, r0Of((a) => a.call(helper), { world })]).toEqual([helper, value]);
    world.now = 8_000_000n;
    expect(r0Of((a) => a.call("jiffies64"), { world })).toBe(2n);
  });

  it("has a name of fifteen bytes", () => {
    const comm: Write = (a) => a.loadMapValue(r1, "out", 0).mov(r2, 16).call("get_current_comm");
    expect(answer(machineOf(comm, { world }))).toEqual([0, "a-name-of-20-le"]);
    expect(
      answer(machineOf((a) => a.loadMapValue(r1, "out", 0).mov(r2, 4).call("get_current_comm"), { world })),
    ).toEqual([0, "a-n"]);
    expect(r0Of((a) => a.mov(r1, r10).add(r1, -8).mov(r2, 0).call("get_current_comm"))).toBe(BigInt.asUintN(64, -22n));
  });

  it("has chances that are the same each time, or the test's own", () => {
    const twice: Write = (a) => a.call("get_prandom_u32").mov(r6, r0).call("get_prandom_u32").lsh(r0, 32).or(r0, r6);
    expect(r0Of(twice)).toBe(r0Of(twice));
    const own = new World();
    own.random = () => 4;
    expect(r0Of(twice, { world: own })).toBe((4n << 32n) | 4n);
  });

  it("is told apart by namespaces", () => {
    const ask: Write = (a) =>
      a
        .mov(r1, 4)
        .mov(r2, 5)
        .mov(r3, r10)
        .add(r3, -8)
        .mov(r4, 8)
        .call("get_ns_current_pid_tgid")
        .load("u64", r1, r10, -8)
        .jne(r0, 0, 1)
        .mov(r0, r1);
    expect(r0Of(ask, { world })).toBe((7n << 32n) | 8n);
    world.namespaced = { dev: 4n, ino: 5n, pid: 1, tid: 2 };
    expect(r0Of(ask, { world })).toBe((1n << 32n) | 2n);
    world.namespaced = { dev: 4n, ino: 6n, pid: 1, tid: 2 };
    expect(r0Of(ask, { world })).toBe(BigInt.asUintN(64, -22n));
  });

  it("has ancestors", () => {
    world.ancestorCgroupIds = [1n, 5n];
    const at = (level: number) => r0Of((a) => a.mov(r1, level).call("get_current_ancestor_cgroup_id"), { world });
    expect([at(0), at(1), at(2), at(3)]).toEqual([1n, 5n, 77n, 0n]);
  });

  it("is told of the run", () => {
    const context = argumentsContext(10, 20, 30);
    const run = { cookie: 9, functionAddress: 0xffff_ffff_8100_0000n, argumentCount: 2 };
    const given: Write = (a) =>
      a
        .mov(r6, r1)
        .mov(r2, 1)
        .mov(r3, r10)
        .add(r3, -8)
        .call("get_func_arg")
        .load("u64", r7, r10, -8)
        .mov(r1, r6)
        .mov(r2, r10)
        .add(r2, -8)
        .call("get_func_ret")
        .load("u64", r8, r10, -8)
        .mov(r1, r6)
        .call("get_func_arg_cnt")
        .lsh(r0, 8)
        .add(r0, r7)
        .lsh(r0, 8)
        .add(r0, r8);
    expect(r0Of((a) => a.call("get_attach_cookie"), {}, run)).toBe(9n);
    expect(r0Of((a) => a.call("get_func_ip"), {}, run)).toBe(0xffff_ffff_8100_0000n);
    expect(r0Of(given, {}, run, context)).toBe((2n << 16n) | (20n << 8n) | 30n);
  });

  it("remembers signals", () => {
    const own = new World({ pid: 3, tid: 4 });
    expect(r0Of((a) => a.mov(r1, 9).call("send_signal").mov(r1, 15).call("send_signal_thread"), { world: own })).toBe(
      0n,
    );
    expect(own.signals).toEqual([
      { signal: 9, thread: false, pid: 3, tid: 4 },
      { signal: 15, thread: true, pid: 3, tid: 4 },
    ]);
    expect(r0Of((a) => a.mov(r1, 99).call("send_signal"), { world: own })).toBe(BigInt.asUintN(64, -22n));
  });
});

describe("reading memory that may not be there", () => {
  const world = new World();
  const read =
    (helper: HelperName, address: bigint, size: number): Write =>
    (a) =>
      a.loadImm64(r3, address).loadMapValue(r1, "out", 0).mov(r2, size).call(helper);
  const user = world.user("user text");
  const kernel = world.kernel("kernel text");
  const swapped = world.user("swapped", { resident: false });
  world.place(0x5000n, new TextEncoder().encode("no end"));
  const asked = (helper: HelperName, address: bigint, size: number) =>
    answer(machineOf(read(helper, address, size), { world }));

  it("takes what is there", () => {
    expect(asked("probe_read_user", user, 5)).toEqual([0, "user "]);
    expect(asked("probe_read_kernel", kernel, 6)).toEqual([0, "kernel"]);
    expect(asked("probe_read", user, 4)).toEqual([0, "user"]);
    expect(asked("probe_read_user_str", user, 64)).toEqual([10, "user text"]);
    expect(asked("probe_read_kernel_str", kernel + 7n, 64)).toEqual([5, "text"]);
    expect(asked("probe_read_str", kernel, 64)).toEqual([12, "kernel text"]);
    expect(asked("probe_read_user_str", user, 5)).toEqual([5, "user"]);
    expect(asked("copy_from_user", swapped, 4)).toEqual([0, "swap"]);
    expect(asked("probe_read_user", 0x5003n, 3)).toEqual([0, "end"]);
  });

  it("says −EFAULT where it is not", () => {
    const rows: readonly (readonly [HelperName, bigint, number])[] = [
      ["probe_read_user", user, 11],
      ["probe_read_user", kernel, 4],
      ["probe_read_user", 0n, 4],
      ["probe_read_user", swapped, 4],
      ["probe_read_user_str", swapped, 4],
      ["probe_read_user_str", 0x5000n, 64],
      ["probe_read_kernel", 0xffff_8880_0000_0000n, 4],
    ];
    for (const row of rows) expect([row, asked(...row)]).toEqual([row, [-14, ""]]);
    expect(asked("probe_read_kernel", user, 4)).toEqual([-34, ""]);
    expect(asked("probe_read_kernel_str", 0n, 4)).toEqual([-34, ""]);
    expect(asked("probe_read_user_str", 0x5000n, 6)).toEqual([6, "no en"]);
  });

  it("leaves what it does not write unwritten", () => {
    const compare =
      (offset: number): Write =>
      (a) =>
        a
          .loadImm64(r3, user)
          .mov(r1, r10)
          .add(r1, -16)
          .mov(r2, 16)
          .call("probe_read_user_str")
          .load("u8", r0, r10, offset);
    expect(r0Of(compare(-8), { world })).toBe(116n);
    expect(fault(() => r0Of(compare(-1), { world }))).toBe("UNINITIALISED");
    expect(r0Of(compare(-1), { world, uninitialised: "zero" })).toBe(0n);
  });

  it("faults where it is to write beyond", () => {
    expect(fault(() => asked("probe_read_user", user, 65))).toBe("OUT_OF_BOUNDS");
    expect(
      fault(() =>
        r0Of((a) => a.loadImm64(r3, user).loadMapValue(r1, "text", 0).mov(r2, 4).call("probe_read_user"), { world }),
      ),
    ).toBe("READ_ONLY");
  });

  it("writes where user space lets it", () => {
    const target = world.user("....");
    const write =
      (to: bigint): Write =>
      (a) =>
        a
          .store("u32", r10, -4, 0x64636261)
          .loadImm64(r1, to)
          .mov(r2, r10)
          .add(r2, -4)
          .mov(r3, 4)
          .call("probe_write_user");
    expect(r0Of(write(target), { world })).toBe(0n);
    expect(new TextDecoder().decode(world.read(target, 4))).toBe("abcd");
    expect(r0Of(write(0x10n), { world })).toBe(BigInt.asUintN(64, -14n));
  });
});

describe("text", () => {
  it("is compared", () => {
    const compare = (one: string, other: string, size = one.length) => {
      const world = new World();
      const address = world.kernel(one);
      return machineOf(
        (a) => a.loadImm64(r1, address).mov(r2, size).loadMapValue(r3, "text", 0).call("strncmp"),
        { world },
        other,
      ).run("p").result;
    };
    expect([
      compare("abc", "abc"),
      compare("abc", "abd"),
      compare("abd", "abc"),
      compare("abcd", "abc", 3),
      compare("ab", "abc", 3),
    ]).toEqual([0, -1, 1, 0, -1]);
  });

  it("is read as numbers", () => {
    const parse = (text: string, helper: "strtol" | "strtoul" = "strtol", base = 0): readonly [number, bigint] => {
      const write: Write = (a) =>
        a.loadMapValue(r1, "text", 0).mov(r2, ROOM).mov(r3, base).loadMapValue(r4, "out", 0).call(helper);
      const machine = machineOf(write, {}, text);
      const { result } = machine.run("p");
      return [
        result,
        BigInt.asIntN(64, new BigUint64Array((machine.maps.out.get(0) as Uint8Array).slice().buffer)[0] as bigint),
      ];
    };
    expect(parse("42 ")).toEqual([2, 42n]);
    expect(parse(" -0x1F;")).toEqual([6, -31n]);
    expect(parse("017")).toEqual([3, 15n]);
    expect(parse("ff", "strtoul", 16)).toEqual([2, 255n]);
    expect(parse("-1", "strtoul")[0]).toBe(-22);
    expect(parse("x")[0]).toBe(-22);
    expect(parse("9223372036854775808")[0]).toBe(-34);
    expect(parse("18446744073709551615", "strtoul")).toEqual([20, -1n]);
    expect(parse("1", "strtol", 7)[0]).toBe(-22);
  });

  it("is printed", () => {
    const world = new World();
    const name = world.kernel("eth0");
    const write: Write = (a) =>
      a.loadMapValue(r1, "text", 0).mov(r2, ROOM).mov(r3, 5).loadImm64(r4, name).mov(r5, -1).call("trace_printk");
    expect(machineOf(write, { world }, "%d on %s: %lx\n").run("p").result).toBe("5 on eth0: ffffffffffffffff\n".length);
    expect(machineOf(write, { world }, "%d %d %d %d").run("p").result).toBe(-22);
    expect(world.printed).toEqual(["5 on eth0: ffffffffffffffff"]);
    const wide: Write = (a) =>
      a
        .store("u64", r10, -8, 2)
        .store("u64", r10, -16, 1)
        .loadMapValue(r1, "text", 0)
        .mov(r2, ROOM)
        .mov(r3, r10)
        .add(r3, -16)
        .mov(r4, 16)
        .call("trace_vprintk");
    machineOf(wide, { world }, "%u and %u").run("p");
    expect(world.printed[1]).toBe("1 and 2");
  });

  it("is formatted, and cut off at its room", () => {
    const write =
      (size: number): Write =>
      (a) =>
        a
          .store("u64", r10, -8, 1234)
          .loadMapValue(r1, "out", 0)
          .mov(r2, size)
          .loadMapValue(r3, "text", 0)
          .mov(r4, r10)
          .add(r4, -8)
          .mov(r5, 8)
          .call("snprintf");
    expect(answer(machineOf(write(64), {}, "n=%d"))).toEqual([7, "n=1234"]);
    expect(answer(machineOf(write(4), {}, "n=%d"))).toEqual([7, "n=1"]);
    expect(answer(machineOf(write(64), {}, "%z"))).toEqual([-22, ""]);
  });
});

describe("loops, locks and references", () => {
  /** Adds the numbers of an iterator up. */
  const sum = (from: number, to: number, destroy = true): readonly Instruction[] => {
    const kfunc = (a: Assembler, name: string) =>
      a.raw({ opcode: 0x85, dst: 0, src: 2, offset: 0, imm: 0, extern: name });
    const a = new Assembler().mov(r6, 0).mov(r1, r10).add(r1, -8).mov(r2, from).mov(r3, to);
    kfunc(a, "bpf_iter_num_new").mov(r7, r0).label("next").mov(r1, r10).add(r1, -8);
    kfunc(a, "bpf_iter_num_next").jeq(r0, 0, "done").load("u32", r1, r0, 0).add(r6, r1).ja("next").label("done");
    if (destroy) kfunc(a.mov(r1, r10).add(r1, -8), "bpf_iter_num_destroy");
    return a.mov(r0, r6).lsh(r7, 32).or(r0, r7).exit().instructions();
  };
  const machine = (instructions: readonly Instruction[]) =>
    new Machine({ maps: {}, programs: { p: { type: "kprobe", license: "GPL", instructions } } });

  it("are iterators over numbers", () => {
    expect(machine(sum(1, 11)).run("p").r0).toBe(55n);
    expect(machine(sum(5, 5)).run("p").r0).toBe(0n);
    expect(machine(sum(5, 4)).run("p").r0 >> 32n).toBe(BigInt.asUintN(32, -22n));
    expect(machine(sum(0, 9_000_000)).run("p").r0 >> 32n).toBe(BigInt.asUintN(32, -7n));
    expect(fault(() => machine(sum(1, 2, false)).run("p"))).toBe("UNRELEASED");
  });

  it("are locks, one at a time, given back", () => {
    const lock: Write = (a) => a.loadMapValue(r1, "out", 0).call("spin_lock");
    const unlock: Write = (a) => a.loadMapValue(r1, "out", 0).call("spin_unlock");
    expect(r0Of((a) => unlock(lock(a)).mov(r0, 1))).toBe(1n);
    expect(fault(() => r0Of((a) => lock(a).mov(r0, 0)))).toBe("UNRELEASED");
    expect(fault(() => r0Of((a) => lock(lock(a))))).toBe("BAD_ARGUMENT");
    expect(fault(() => r0Of((a) => unlock(a)))).toBe("BAD_ARGUMENT");
  });

  it("are stacks", () => {
    const world = new World();
    world.kernelStack = [1n, 2n, 3n];
    const write =
      (size: number, flags: number): Write =>
      (a) =>
        a.loadMapValue(r2, "out", 0).mov(r3, size).mov(r4, flags).call("get_stack");
    expect(r0Of(write(64, 0), { world })).toBe(24n);
    expect(r0Of(write(8, 1), { world })).toBe(8n);
    expect(r0Of(write(12, 0), { world })).toBe(BigInt.asUintN(64, -22n));
    expect(r0Of(write(64, 0x100), { world })).toBe(BigInt.asUintN(64, -14n));
  });
});

describe("a test's own functions", () => {
  it("stand for helpers that the machine does not have, and before those it has", () => {
    const world = new World({ pid: 5 });
    const address = world.kernel("abc");
    const options: MachineOptions = {
      world,
      helpers: {
        get_netns_cookie: ({ args, world: { pid }, read }) =>
          args[0] + BigInt(pid) + BigInt(read(address, 1)[0] as number),
        ktime_get_ns: () => -1,
      },
    };
    expect(r0Of((a) => a.mov(r1, 100).call("get_netns_cookie"), options)).toBe(202n);
    expect(r0Of((a) => a.call("ktime_get_ns"), options)).toBe((1n << 64n) - 1n);
  });

  it("stand for the kernel's functions", () => {
    const call: Write = (a) =>
      a
        .mov(r1, r10)
        .add(r1, -8)
        .raw({ opcode: 0x85, dst: 0, src: 2, offset: 0, imm: 0, extern: "my_fill" })
        .load("u64", r0, r10, -8);
    const options: MachineOptions = {
      kfuncs: {
        my_fill: ({ args, write }) => write(args[0], Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0)),
      },
    };
    expect(r0Of(call, options)).toBe(0x0201n);
    // As compilers write it, before a loader has found the function.
    const early: Write = (a) => a.raw({ opcode: 0x85, dst: 0, src: 1, offset: 0, imm: -1, extern: "my_one" });
    expect(r0Of(early, { kfuncs: { my_one: () => 1 } })).toBe(1n);
    expect(() => r0Of(call)).toThrow("does not have the kernel function my_fill");
  });

  it("are there for programs that ask before they call", () => {
    const ask = (name: string, options: MachineOptions = {}) => {
      const instructions = new Assembler()
        .raw({ opcode: 0x18, dst: 1, src: 0, offset: 0, imm: 0, extern: name })
        .mov(r0, 0)
        .jeq(r1, 0, 1)
        .mov(r0, 1)
        .exit()
        .instructions();
      const externs = { [name]: { kind: "kfunc", weak: true } } as const;
      const spec = { maps: {}, programs: { p: { type: "kprobe", license: "GPL", instructions } }, externs } as const;
      return new Machine(spec, options).run("p").r0;
    };
    expect(ask("bpf_iter_num_new")).toBe(1n);
    expect(ask("my_fill")).toBe(0n);
    expect(ask("my_fill", { kfuncs: { my_fill: () => 1 } })).toBe(1n);
  });
});

describe("values of the kernel's configuration", () => {
  it.each(["little", "big"] as const)("stand in the byte order of the program: %s endian", (byteOrder) => {
    const instructions = new Assembler()
      .raw({ opcode: 0x18, dst: 1, src: 0, offset: 0, imm: 0, extern: "CONFIG_HZ" })
      .load("u32", r0, r1, 0)
      .exit()
      .instructions();
    const spec = {
      byteOrder,
      maps: { ".kconfig": { type: "array", keySize: 4, valueSize: 8, maxEntries: 1 } },
      programs: { p: { type: "kprobe", license: "GPL", instructions } },
      externs: { CONFIG_HZ: { kind: "kconfig", weak: false, offset: 4, size: 4 } },
    } as const;
    expect(new Machine(spec, { externs: { CONFIG_HZ: 250 } }).run("p").r0).toBe(250n);
  });
});
