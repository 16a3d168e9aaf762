import { describe, expect, it } from "vitest";
import { Btf, BtfBuilder } from "../../object/btf/index.ts";
import { MachineError, World } from "./index.ts";

/** struct node { int pid; char comm[16]; struct node *next; const char *text; u32 a:3, b:5; union { u64 wide; u16 low; }; u16 list[3]; enum e; bool on; } */
function types(byteOrder: "little" | "big" = "little"): Btf {
  const builder = new BtfBuilder({ byteOrder });
  const integer = (name: string, size: number, more = {}) =>
    builder.add({
      kind: "int",
      name,
      size,
      bits: size * 8,
      bitOffset: 0,
      signed: false,
      char: false,
      bool: false,
      ...more,
    });
  const int = integer("int", 4, { signed: true });
  const char = integer("char", 1, { char: true });
  const u16 = integer("u16", 2);
  const u32 = integer("u32", 4);
  const u64 = integer("u64", 8);
  const bool = integer("_Bool", 1, { bool: true });
  const arrayOf = (element: number, length: number) =>
    builder.add({ kind: "array", name: "", element, index: u32, length });
  const comm = arrayOf(char, 16);
  const list = arrayOf(u16, 3);
  const constChar = builder.add({ kind: "const", name: "", type: char });
  const text = builder.add({ kind: "pointer", name: "", type: constChar });
  const state = builder.add({
    kind: "enum",
    name: "state",
    size: 4,
    signed: false,
    values: [
      { name: "RUNNING", value: 0 },
      { name: "DEAD", value: 3 },
    ],
  });
  const member = (name: string, type: number, bitOffset: number, bitSize = 0) => ({ name, type, bitOffset, bitSize });
  const either = builder.add({
    kind: "union",
    name: "",
    size: 8,
    members: [member("wide", u64, 0), member("low", u16, 0)],
  });
  const node = builder.reserve();
  const next = builder.add({ kind: "pointer", name: "", type: node });
  const bytes = [
    ["pid", int, 0],
    ["comm", comm, 4],
    ["next", next, 24],
    ["text", text, 32],
  ] as const;
  builder.set(node, {
    kind: "struct",
    name: "node",
    size: 72,
    members: [
      ...bytes.map(([name, type, at]) => member(name, type, at * 8)),
      member("a", u32, 320, 3),
      member("b", u32, 323, 5),
      member("", either, 48 * 8),
      member("list", list, 56 * 8),
      member("state", state, 64 * 8),
      member("on", bool, 68 * 8),
    ],
  });
  return Btf.parse(builder.build());
}

describe("structs of the kernel in a world's memory", () => {
  const btf = types();
  const view = (world: World, address: bigint) => {
    const bytes = world.read(address, 72);
    return new DataView(bytes.buffer, bytes.byteOffset);
  };
  const textAt = (world: World, address: bigint, length: number) =>
    new TextDecoder().decode(world.read(address, length));

  it("have numbers, texts, arrays, enums and bits in their places", () => {
    const world = new World();
    const address = world.kernelStruct(btf, "node", {
      pid: -5,
      comm: "cat",
      a: 5,
      b: 17,
      low: 0x1234,
      list: [1, 2],
      state: "DEAD",
      on: true,
    });
    const v = view(world, address);
    expect(v.getInt32(0, true)).toBe(-5);
    expect(textAt(world, address + 4n, 5)).toBe("cat\0\0");
    expect(v.getUint8(40)).toBe(5 | (17 << 3));
    expect(v.getBigUint64(48, true)).toBe(0x1234n);
    expect([v.getUint16(56, true), v.getUint16(58, true), v.getUint16(60, true)]).toEqual([1, 2, 0]);
    expect([v.getUint32(64, true), v.getUint8(68)]).toEqual([3, 1]);
    expect(v.getBigUint64(24, true)).toBe(0n);
  });

  it("have what their pointers point to", () => {
    const world = new World();
    const first = world.kernelStruct(btf, "node", { pid: 1 });
    const address = world.kernelStruct(btf, "node", { next: { pid: 2, next: first }, text: "hello" });
    const v = view(world, address);
    const second = v.getBigUint64(24, true);
    expect(view(world, second).getInt32(0, true)).toBe(2);
    expect(view(world, second).getBigUint64(24, true)).toBe(first);
    expect(textAt(world, v.getBigUint64(32, true), 6)).toBe("hello\0");
    expect(
      view(world, world.kernelStruct(btf, "node", { next: null, text: Uint8Array.of(9) })).getBigUint64(24, true),
    ).toBe(0n);
  });

  it("are in the byte order of their types", () => {
    const world = new World();
    const v = view(world, world.kernelStruct(types("big"), "node", { pid: 1, a: 5, b: 17 }));
    expect(v.getInt32(0)).toBe(1);
    expect(v.getUint8(40)).toBe((5 << 5) | 17);
  });

  it("are refused where they cannot be", () => {
    const world = new World();
    const make =
      (value: Parameters<World["kernelStruct"]>[2], type = "node") =>
      () =>
        world.kernelStruct(btf, type, value);
    expect(make({}, "nobody")).toThrow(new MachineError('These types have no struct "nobody".'));
    expect(make({ pif: 1 })).toThrow('struct node has no member "pif"');
    expect(make({ pid: 2 ** 33 })).toThrow("node.pid has 32 bits, which 8589934592 does not fit");
    expect(make({ pid: "x" })).toThrow("node.pid is a whole number");
    expect(make({ pid: 1.5 })).toThrow("node.pid is a whole number");
    expect(make({ comm: "0123456789abcdef" })).toThrow("room for 15 bytes");
    expect(make({ comm: 5 })).toThrow("node.comm is an array of 16");
    expect(make({ list: [1, 2, 3, 4] })).toThrow("has 3 elements, and 4 are given");
    expect(make({ list: "x" })).toThrow("takes no text");
    expect(make({ a: 8 })).toThrow("node.a has 3 bits");
    expect(make({ state: "ALIVE" })).toThrow('enum state has no value "ALIVE"');
    expect(make({ next: true })).toThrow("node.next is a pointer");
    expect(make({ next: { pid: "x" } })).toThrow("node.next.pid is a whole number");
    expect(make({ comm: new Uint8Array(17) })).toThrow("node.comm has 16 bytes, and 17 are given");
  });
});

describe("a world's memory", () => {
  it("is at addresses of the kernel's half or the user's", () => {
    const world = new World({
      memory: [
        [0x1000n, Uint8Array.of(1, 2, 3)],
        [0xffff_8880_0000_0000n, Uint8Array.of(4)],
      ],
    });
    expect(world.user("x") < 1n << 47n).toBe(true);
    expect(world.kernel("x") >= 1n << 63n).toBe(true);
    expect([...world.read(0x1001n, 2)]).toEqual([2, 3]);
    expect([...world.read(0xffff_8880_0000_0000n, 1)]).toEqual([4]);
    world.write(0x1001n, Uint8Array.of(9));
    expect([...world.read(0x1000n, 3)]).toEqual([1, 9, 3]);
  });

  it("is read and written only where it is", () => {
    const world = new World({ memory: [[0x1000n, Uint8Array.of(1, 2, 3)]] });
    expect(() => world.read(0x1001n, 3)).toThrow(RangeError);
    expect(() => world.read(0x2000n, 1)).toThrow("There are no 1 bytes at 0x2000.");
    expect(() => world.write(0x1003n, Uint8Array.of(1))).toThrow(RangeError);
    expect(() => world.place(0x1002n, Uint8Array.of(1))).toThrow("there is memory already");
    expect(() => world.place(8n, Uint8Array.of(1))).toThrow("kept free for null");
    expect(() => world.place(0xffff_ffffn, Uint8Array.of(1, 2))).toThrow("cross a border of 4 GiB");
    world.place(0x1003n, Uint8Array.of(7));
    expect([...world.read(0x1003n, 1)]).toEqual([7]);
  });

  it("does not change with the bytes it was made of", () => {
    const world = new World();
    const bytes = Uint8Array.of(1);
    const address = world.kernel(bytes);
    bytes[0] = 2;
    expect([...world.read(address, 1)]).toEqual([1]);
  });

  it("has a thread that follows its process until it is set", () => {
    const world = new World({ pid: 5 });
    world.pid = 6;
    expect(world.tid).toBe(6);
    world.tid = 7;
    world.pid = 8;
    expect([world.pid, world.tid]).toEqual([8, 7]);
  });
});
