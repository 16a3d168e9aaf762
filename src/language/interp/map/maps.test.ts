import { describe, expect, it } from "vitest";
import { Assembler, r0, r1, r2, r3, r4, r6, r7, r10 } from "../../../object/asm/index.ts";
import { bytes, str, struct, u8, u32, u64 } from "../../../object/codec/index.ts";
import { MapFlag, type MapSpec } from "../../../object/spec/index.ts";
import { Machine, MachineError, MachineFault, World } from "../index.ts";

type Write = (a: Assembler) => Assembler;

const program = (write: Write) =>
  ({ type: "syscall", license: "GPL", instructions: write(new Assembler()).instructions() }) as const;

/** A machine with one map and one program that has it in r1 and a key of 32 bits in r2. */
function machineOf<const M extends MapSpec>(m: M, key: number, write: Write, world = new World()) {
  const p = program((a) => write(a.store("u32", r10, -4, key).loadMap(r1, "m").mov(r2, r10).add(r2, -4)).exit());
  return new Machine({ maps: { m }, programs: { p } }, { world });
}

const faultCode = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    if (error instanceof MachineFault) return error.code;
    throw error;
  }
  return "none";
};

/** Puts r6 in for the key in r2. */
const update: Write = (a) => a.store("u64", r10, -16, r6).mov(r3, r10).add(r3, -16).mov(r4, 0).call("map_update_elem");

describe("hash maps", () => {
  const spec = { type: "hash", key: u32, value: u64, maxEntries: 2 } as const;

  it("have typed entries", () => {
    const { m } = machineOf(spec, 1, (a) => update(a.mov(r6, 5))).maps;
    m.set(7, 1n);
    m.set(8, 2n);
    m.set(7, 3n);
    expect([m.size, m.get(7), m.get(9), m.has(8), m.delete(9), m.delete(8)]).toEqual([
      2,
      3n,
      undefined,
      true,
      false,
      true,
    ]);
    expect([...m]).toEqual([[7, 3n]]);
    expect([[...m.keys()], [...m.values()]]).toEqual([[7], [3n]]);
    m.clear();
    expect(m.size).toBe(0);
  });

  it("take no more than they have room for", () => {
    const machine = machineOf(spec, 1, (a) => update(a.mov(r6, 5)));
    machine.maps.m.set(7, 1n);
    machine.maps.m.set(8, 2n);
    expect(machine.run("p").result).toBe(-7);
    expect(() => machine.maps.m.set(9, 1n)).toThrow(
      new MachineError('Map "m" has room for 2 entries, and no more: delete some, or give it a larger maxEntries.'),
    );
    expect(() => machine.maps.m.set(7, -1n)).toThrow("does not fit u64");
    expect(machine.maps.m.get(7)).toBe(1n);
  });

  it("drop what was used longest ago where they are LRU", () => {
    const machine = machineOf({ ...spec, type: "lru_hash" }, 7, (a) => a.call("map_lookup_elem"));
    const { m } = machine.maps;
    m.set(7, 1n);
    m.set(8, 2n);
    machine.run("p");
    m.set(9, 3n);
    expect([...m.keys()]).toEqual([7, 9]);
  });

  it("leave what a program holds as it is until the run ends", () => {
    // Looks up, deletes, writes through the pointer, looks up again.
    const machine = machineOf(spec, 7, (a) =>
      a
        .call("map_lookup_elem")
        .mov(r7, r0)
        .loadMap(r1, "m")
        .mov(r2, r10)
        .add(r2, -4)
        .call("map_delete_elem")
        .store("u64", r7, 0, 9)
        .load("u64", r6, r7, 0)
        .loadMap(r1, "m")
        .mov(r2, r10)
        .add(r2, -4)
        .call("map_lookup_elem")
        .add(r0, r6),
    );
    machine.maps.m.set(7, 1n);
    expect(machine.run("p").r0).toBe(9n);
    expect(machine.maps.m.size).toBe(0);
  });

  it("take bytes where nothing says more", () => {
    const machine = machineOf({ type: "hash", keySize: 4, valueSize: 8, maxEntries: 2 }, 7, (a) =>
      update(a.mov(r6, 5)),
    );
    machine.run("p");
    const m = machine.map<Uint8Array, Uint8Array>("m");
    expect([...m]).toEqual([[Uint8Array.of(7, 0, 0, 0), Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0)]]);
    expect(() => m.get(Uint8Array.of(7))).toThrow("a Uint8Array of 4 bytes");
  });

  it("are bytes for who wants them", () => {
    const { m } = machineOf(spec, 1, (a) => a.mov(r0, 0)).maps;
    m.set(7, 258n);
    expect([...m.rawEntries()]).toEqual([[Uint8Array.of(7, 0, 0, 0), [Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0)]]]);
    expect(() => machineOf({ ...spec, valueSize: 4 }, 1, (a) => a)).toThrow(
      "values of 4 bytes, and their layout has 8",
    );
  });

  it("compare keys of every size whole", () => {
    const Key = struct({ a: u8, name: str(6), c: u32 });
    const machine = new Machine({ maps: { m: { type: "hash", key: Key, value: u32, maxEntries: 9 } }, programs: {} });
    const { m } = machine.maps;
    m.set({ a: 1, name: "x", c: 2 }, 1);
    m.set({ a: 1, name: "x", c: 3 }, 2);
    expect(m.get({ a: 1, name: "x", c: 2 })).toBe(1);
    expect(m.get({ a: 1, name: "y", c: 2 })).toBeUndefined();
  });
});

describe("per-CPU maps", () => {
  it("have a value for each CPU", () => {
    for (const type of ["percpu_hash", "percpu_array"] as const) {
      const world = new World({ cpu: 1 });
      const machine = machineOf({ type, key: u32, value: u64, maxEntries: 4 }, 2, (a) => update(a.mov(r6, 5)), world);
      machine.run("p");
      world.cpu = 0;
      expect(machine.maps.m.get(2)).toEqual([0n, 5n]);
      machine.maps.m.set(3, [1n, 2n]);
      expect(machine.maps.m.get(3)).toEqual([1n, 2n]);
      expect(() => machine.maps.m.set(3, [1n])).toThrow("give an array of 2");
      machine.run("p");
      expect(machine.maps.m.get(2)).toEqual([5n, 5n]);
    }
  });

  it("give other CPUs' values to who asks for them", () => {
    const write: Write = (a) => a.mov(r3, 1).call("map_lookup_percpu_elem").load("u64", r0, r0, 0);
    const machine = machineOf({ type: "percpu_array", key: u32, value: u64, maxEntries: 4 }, 2, write);
    machine.maps.m.set(2, [1n, 2n]);
    expect(machine.run("p").r0).toBe(2n);
  });
});

describe("arrays", () => {
  const spec = { type: "array", key: u32, value: u64, maxEntries: 3 } as const;

  it("have all their elements", () => {
    const machine = machineOf(spec, 3, (a) => a.call("map_lookup_elem"));
    expect([...machine.maps.m]).toEqual([
      [0, 0n],
      [1, 0n],
      [2, 0n],
    ]);
    expect(machine.run("p").r0).toBe(0n);
    machine.maps.m.set(1, 7n);
    expect([machine.maps.m.size, machine.maps.m.delete(1), machine.maps.m.get(1), machine.maps.m.delete(3)]).toEqual([
      3,
      true,
      0n,
      false,
    ]);
    expect(() => machine.maps.m.set(3, 1n)).toThrow(MachineError);
  });

  it("check each value's end, and what is only read", () => {
    const beyond = machineOf(spec, 1, (a) => a.call("map_lookup_elem").jeq(r0, 0, 1).load("u8", r0, r0, 8));
    expect(faultCode(() => beyond.run("p"))).toBe("OUT_OF_BOUNDS");
    const frozen = {
      type: "array",
      key: u32,
      value: u64,
      maxEntries: 1,
      flags: MapFlag.rdonly_prog,
      contents: Uint8Array.of(9),
    } as const;
    const reads = machineOf(frozen, 0, (a) => a.loadMapValue(r1, "m", 0).load("u8", r0, r1, 0));
    expect(reads.run("p").r0).toBe(9n);
    expect(
      faultCode(() => machineOf(frozen, 0, (a) => a.loadMapValue(r1, "m", 0).store("u8", r1, 0, 1)).run("p")),
    ).toBe("READ_ONLY");
    expect(faultCode(() => machineOf(frozen, 0, (a) => update(a.mov(r6, 1))).run("p"))).toBe("READ_ONLY");
    expect(() => new Machine({ maps: { m: { ...frozen, contents: new Uint8Array(9) } }, programs: {} })).toThrow(
      MachineError,
    );
  });

  it("are gone through by bpf_for_each_map_elem, up to where the callback stops", () => {
    const write: Write = (a) =>
      a
        .store("u64", r10, -16, 0)
        .loadMap(r1, "m")
        .loadFunction(r2, "each")
        .mov(r3, r10)
        .add(r3, -16)
        .mov(r4, 0)
        .call("for_each_map_elem")
        .lsh(r0, 32)
        .load("u64", r1, r10, -16)
        .or(r0, r1)
        .exit()
        // each(map, key, value, context): adds the value up; stops at key 1.
        .label("each")
        .load("u64", r0, r3, 0)
        .load("u64", r1, r4, 0)
        .add(r1, r0)
        .store("u64", r4, 0, r1)
        .load("u32", r1, r2, 0)
        .mov(r0, 0)
        .jne(r1, 1, 1)
        .mov(r0, 1);
    const machine = machineOf(spec, 0, write);
    for (const i of [0, 1, 2]) machine.maps.m.set(i, BigInt(i + 10));
    expect(machine.run("p").r0).toBe((2n << 32n) | 21n);
  });
});

describe("ring buffers", () => {
  const Event = struct({ pid: u32, name: str(4) });
  const spec = { type: "ringbuf", value: Event, maxEntries: 4096 } as const;
  const machineWith = (write: Write) =>
    new Machine({
      maps: { m: spec },
      programs: { p: program((a) => write(a.loadMap(r1, "m").mov(r2, 8).mov(r3, 0).call("ringbuf_reserve"))) },
    });

  it("give events as values", () => {
    const machine = machineWith((a) =>
      a
        .jne(r0, 0, 1)
        .exit()
        .store("u32", r0, 0, 7)
        .store("u32", r0, 4, 0x6261)
        .mov(r1, r0)
        .mov(r2, 0)
        .call("ringbuf_submit")
        .mov(r0, 0)
        .exit(),
    );
    machine.run("p");
    machine.run("p");
    const { m } = machine.maps;
    expect(m.used).toBe(32);
    expect(m.events()).toEqual([
      { pid: 7, name: "ab" },
      { pid: 7, name: "ab" },
    ]);
    expect([m.used, m.dropped, m.discarded, m.unwritten, m.events()]).toEqual([0, 0, 0, 0, []]);
  });

  it("know what was discarded and what was never written", () => {
    const discards = machineWith((a) => a.mov(r1, r0).mov(r2, 0).call("ringbuf_discard").mov(r0, 0).exit());
    discards.run("p");
    expect([discards.maps.m.discarded, discards.maps.m.records()]).toEqual([1, []]);
    const part = machineWith((a) =>
      a.store("u32", r0, 0, 7).mov(r1, r0).mov(r2, 0).call("ringbuf_submit").mov(r0, 0).exit(),
    );
    part.run("p");
    expect(part.maps.m.unwritten).toBe(4);
    expect(faultCode(() => machineWith((a) => a.load("u32", r0, r0, 0).exit()).run("p"))).toBe("UNINITIALISED");
  });

  it("may be read before they are written where a test lets them", () => {
    const write: Write = (a) =>
      a
        .loadMap(r1, "m")
        .mov(r2, 8)
        .mov(r3, 0)
        .call("ringbuf_reserve")
        .load("u64", r6, r0, 0)
        .mov(r1, r0)
        .mov(r2, 0)
        .call("ringbuf_submit")
        .mov(r0, r6)
        .exit();
    const object = { maps: { m: spec }, programs: { p: program(write) } };
    expect(faultCode(() => new Machine(object).run("p"))).toBe("UNINITIALISED");
    const lenient = new Machine(object, { uninitialised: "zero" });
    expect([lenient.run("p").r0, lenient.maps.m.unwritten]).toEqual([0n, 8]);
  });

  it("want each record back, once", () => {
    const keeps = machineWith((a) => a.mov(r0, 0).exit());
    expect(faultCode(() => keeps.run("p"))).toBe("UNRELEASED");
    expect(keeps.maps.m.records()).toEqual([]);
    // Also of a ring that a map of maps gives.
    const write: Write = (a) =>
      a
        .store("u32", r10, -4, 0)
        .loadMap(r1, "outer")
        .mov(r2, r10)
        .add(r2, -4)
        .call("map_lookup_elem")
        .mov(r1, r0)
        .mov(r2, 8)
        .mov(r3, 0)
        .call("ringbuf_reserve")
        .mov(r0, 0)
        .exit();
    const outer = { type: "array_of_maps", keySize: 4, valueSize: 4, maxEntries: 1 } as const;
    const inner = new Machine({ maps: { outer }, programs: { p: program(write) } });
    inner.maps.outer.set(0, inner.createMap("inner", spec));
    expect(faultCode(() => inner.run("p"))).toBe("UNRELEASED");
    const twice = machineWith((a) =>
      a
        .mov(r6, r0)
        .mov(r1, r0)
        .mov(r2, 0)
        .call("ringbuf_discard")
        .mov(r1, r6)
        .mov(r2, 0)
        .call("ringbuf_discard")
        .exit(),
    );
    expect(faultCode(() => twice.run("p"))).toBe("BAD_ARGUMENT");
    const after = machineWith((a) =>
      a.mov(r6, r0).mov(r1, r0).mov(r2, 0).call("ringbuf_discard").store("u8", r6, 0, 1).exit(),
    );
    expect(faultCode(() => after.run("p"))).toBe("UNMAPPED");
  });

  it("take what is copied in, and tell how full they are", () => {
    const p = program((a) =>
      a
        .store("u64", r10, -8, 1)
        .loadMap(r1, "m")
        .mov(r2, r10)
        .add(r2, -8)
        .mov(r3, 8)
        .mov(r4, 0)
        .call("ringbuf_output")
        .mov(r6, r0)
        .loadMap(r1, "m")
        .mov(r2, 3)
        .call("ringbuf_query")
        .or(r0, r6)
        .exit(),
    );
    const machine = new Machine({ maps: { m: spec }, programs: { p } });
    expect(machine.run("p").r0).toBe(16n);
    expect(machine.maps.m.events()).toEqual([{ pid: 1, name: "" }]);
    machine.run("p");
    expect(() => machine.maps.m.events(bytes(9))).toThrow("has 8 bytes, and its layout 9");
  });
});

describe("other maps", () => {
  it("keep stacks by number", () => {
    const world = new World();
    const write: Write = (a) => a.loadMap(r2, "m").mov(r3, 0x100).call("get_stackid");
    const machine = machineOf({ type: "stack_trace", keySize: 4, valueSize: 24, maxEntries: 64 }, 0, write, world);
    expect(machine.run("p").result).toBe(-14);
    world.userStack = [0x1000n, 0x2000n, 0x3000n, 0x4000n];
    const { result } = machine.run("p");
    expect(machine.maps.m.get(result)).toEqual([0x1000n, 0x2000n, 0x3000n]);
    expect(machine.run("p").result).toBe(result);
    expect([machine.maps.m.size, [...machine.maps.m].length]).toEqual([1, 1]);
  });

  it("belong to tasks", () => {
    const world = new World();
    const write: Write = (a) =>
      a
        .call("get_current_task_btf")
        .mov(r2, r0)
        .loadMap(r1, "m")
        .mov(r3, 0)
        .mov(r4, 1)
        .call("task_storage_get")
        .jne(r0, 0, 1)
        .exit()
        .load("u64", r1, r0, 0)
        .add(r1, 1)
        .store("u64", r0, 0, r1);
    const machine = machineOf({ type: "task_storage", keySize: 4, value: u64, maxEntries: 0 }, 0, write, world);
    machine.run("p");
    machine.run("p");
    const first = world.task;
    world.task = world.kernel(new Uint8Array(8));
    machine.run("p");
    expect(new Map(machine.maps.m)).toEqual(
      new Map([
        [first, 2n],
        [world.task, 1n],
      ]),
    );
    machine.maps.m.set(first, 9n);
    expect([machine.maps.m.get(first), machine.maps.m.delete(first), machine.maps.m.get(first)]).toEqual([
      9n,
      true,
      undefined,
    ]);
  });

  it("are queues and stacks", () => {
    for (const [type, order] of [
      ["queue", [1, 2]],
      ["stack", [2, 1]],
    ] as const) {
      const write: Write = (a) =>
        a.mov(r2, r10).add(r2, -8).call("map_pop_elem").jne(r0, 0, 1).load("u32", r0, r10, -8);
      const machine = machineOf({ type, value: u32, maxEntries: 2 }, 0, write);
      machine.maps.m.push(1);
      machine.maps.m.push(2);
      expect(() => machine.maps.m.push(3)).toThrow(RangeError);
      expect(machine.maps.m.peek()).toBe(order[0]);
      expect([machine.run("p").result, machine.maps.m.pop(), machine.maps.m.pop()]).toEqual([
        order[0],
        order[1],
        undefined,
      ]);
      expect(machine.run("p").result).toBe(-2);
    }
  });

  it("hold programs for tail calls", () => {
    const p = program((a) => a.mov(r6, r1).loadMap(r2, "m").mov(r3, 1).call("tail_call").mov(r0, 5).exit());
    const q = program((a) => a.mov(r0, 9).exit());
    const again = program((a) => a.mov(r6, r1).loadMap(r2, "m").mov(r3, 2).call("tail_call").mov(r0, 6).exit());
    const machine = new Machine({ maps: { m: { type: "prog_array", maxEntries: 3 } }, programs: { p, q, again } });
    expect(machine.run("p").r0).toBe(5n);
    machine.maps.m.set(1, "q");
    expect([machine.run("p").r0, machine.maps.m.get(1)]).toEqual([9n, "q"]);
    // Itself, thirty-three times.
    machine.maps.m.set(2, "again");
    expect(machine.run("again")).toMatchObject({ r0: 6n, instructions: 34 * 4 + 2 });
    expect(() => machine.maps.m.set(3, "q")).toThrow(RangeError);
    expect([machine.maps.m.delete(1), machine.run("p").r0]).toEqual([true, 5n]);
  });

  it("are refused by what does not take them", () => {
    const machine = machineOf({ type: "ringbuf", maxEntries: 4096 }, 0, (a) => a.call("map_lookup_elem"));
    expect(() => machine.run("p")).toThrow('Argument 1 is map "m", of type ringbuf, which this call does not take.');
    expect(() => machine.map("m")).toThrow("of type ringbuf and has no keys and values");
    expect(() => machine.map("x")).toThrow('no map "x" (it has: m)');
    const hash = machineOf({ type: "hash", key: u32, value: u32, maxEntries: 1 }, 0, (a) => a);
    expect(() => hash.ring("m")).toThrow("no ring buffer");
  });
});
