import { describe, expect, expectTypeOf, it } from "vitest";
import * as codec from "../../object/codec/index.ts";
import * as kernel from "./index.ts";
import {
  arrayMap,
  be32,
  bool,
  counter,
  type Decoded,
  global,
  hash,
  histogram,
  i8,
  i32,
  type Kernel,
  KernelOnlyError,
  linear,
  max,
  min,
  ORIGIN,
  param,
  profile,
  ringbuf,
  stackTraces,
  str,
  struct,
  sum,
  syscall,
  taskStorage,
  u8,
  u32,
  u64,
  u64n,
} from "./index.ts";

describe("types", () => {
  it("are layouts that decode", () => {
    const Event = struct({ at: u64n, address: be32, ok: bool, name: str(5) });
    expect(Event.layout).toEqual(
      codec.struct({ at: codec.u64n, address: codec.be32, ok: codec.bool, name: codec.str(5) }),
    );
    expect(Event.size).toBe(24);
    expectTypeOf<Decoded<typeof Event>>().toEqualTypeOf<{ at: number; address: number; ok: boolean; name: string }>();
    expectTypeOf<Kernel<typeof u64>>().toEqualTypeOf<kernel.u64>();
    expectTypeOf<Decoded<typeof u64>>().toEqualTypeOf<bigint>();
  });

  it("convert constants as the kernel does", () => {
    expect([u8(300), i8(200), u32(-1), i32(2 ** 31), u8(1.9), u8(Number.NaN), u32(true), u64(5), bool(7)]).toEqual([
      44,
      -56,
      2 ** 32 - 1,
      -(2 ** 31),
      1,
      0,
      1,
      5,
      true,
    ]);
  });

  it("refuse what is no length and no field name", () => {
    expect(() => str(-1)).toThrow(codec.CodecError);
    expect(() => kernel.array(u8, 1.5)).toThrow(codec.CodecError);
    expect(() => struct({ "0": u8 })).toThrow(/"0"/);
  });
});

describe("descriptors", () => {
  it("tell what the source says", () => {
    expect(hash(u32, u64, { max: 5, lru: true })).toMatchObject({ kind: "hash", options: { max: 5, lru: true } });
    expect(hash(u32, u64, { perCpu: true }).kind).toBe("perCpuHash");
    expect(arrayMap(u64, 4)).toMatchObject({ kind: "array", length: 4 });
    expect(arrayMap(u64, 4, { perCpu: true }).kind).toBe("perCpuArray");
    expect(ringbuf(u32, { bytes: 4096 })).toMatchObject({ kind: "ringbuf", options: { bytes: 4096 } });
    expect([stackTraces(3).max, taskStorage(u8).kind]).toEqual([3, "taskStorage"]);
    expect(param(u32, 5)).toMatchObject({ kind: "param", initial: 5 });
    expect(global(u32)).toMatchObject({ kind: "global", initial: undefined });
    expect(profile({ hz: 9 }, () => {})).toMatchObject({ kind: "profile", schedule: { kind: "profile", hz: 9 } });
    expect(syscall(u32, () => 0).context).toBe(u32);
    expect(syscall(() => 0).context).toBeUndefined();
  });

  it("tell a key from options", () => {
    expect([counter().key, counter({ max: 3 }).key, counter(str(16)).key?.size]).toEqual([undefined, undefined, 16]);
    expect([counter({ max: 3 }).options.max, sum(u32, { max: 4 }).options.max]).toEqual([3, 4]);
    expect([histogram({ bits: 2 }).options.bits, histogram(u32, { bits: 3 }).options.bits]).toEqual([2, 3]);
    const steps = { min: 0, max: 9, step: 3 };
    expect([linear(steps).key, linear(u8, steps).key, linear(u8, steps).options]).toEqual([undefined, u8, steps]);
    expect([min(3, 4), max(3, 4), min().kind, max(u32).key]).toEqual([3, 4, "min", u32]);
  });

  it("remember where they were made, and do not show it", () => {
    const made = hash(u32, u64);
    expect(made[ORIGIN].stack).toContain("kernel.test.ts");
    expect(Object.keys(made)).not.toContain(ORIGIN);
    expect((param(u32, 1) as unknown as kernel.ParamDescriptor)[ORIGIN].stack).toContain("kernel.test.ts");
  });

  it("run no function that is given to a program", () => {
    expect(() => profile({ hz: 1 }, () => kernel.print("x"))).not.toThrow();
  });
});

describe("kernel code in JavaScript", () => {
  const anything = undefined as never;

  it("is refused with what to do", () => {
    expect(() => kernel.pid()).toThrow(/^pid\(\) was called by JavaScript.*load\(module\)/);
    expect(() => hash(u32, u64).get(1)).toThrow(KernelOnlyError);
    try {
      kernel.comm();
    } catch (error) {
      expect((error as KernelOnlyError).code).toBe("SKEP_KERNEL_ONLY");
    }
  });

  it("is every helper and every method", () => {
    // What also means something in JavaScript, and what declares.
    const declares =
      /^(u|i|be)\d+n?$|^(bool|str|bytes|array|struct|hash|arrayMap|taskStorage|stackTraces|progArray|cgroupArray|ringbuf|counter|sum|avg|min|max|histogram|linear|param|global|isType|bucket\w+|linearBucket\w+|tracepoint|rawTracepoint|tpBtf|k?(ret)?probe|u(ret)?probe|usdt|fentry|fexit|lsm|profile|interval|iter|syscall|xdp)$/;
    const helpers = Object.entries(kernel).filter(
      ([name, value]) => typeof value === "function" && !/^[A-Z]/.test(name) && !declares.test(name),
    );
    expect(helpers.length).toBeGreaterThan(30);
    for (const [name, helper] of helpers)
      expect(helper as () => unknown, name).toThrow(new RegExp(`^${name}\\(\\) was called by JavaScript`));
    const made: object[] = [
      hash(u32, u64),
      arrayMap(u32, 2),
      taskStorage(u8),
      stackTraces(2),
      kernel.progArray(["next"]),
      kernel.cgroupArray(1),
      ringbuf(u32),
      ringbuf({ bytes: 4096 }),
      counter(),
      sum(),
      kernel.avg(),
      min(),
      max(),
      histogram(),
      linear({ min: 0, max: 9, step: 3 }),
      global(u32),
    ];
    for (const descriptor of made) {
      const methods = new Set<string | symbol>();
      for (let at = Object.getPrototypeOf(descriptor); at !== Object.prototype; at = Object.getPrototypeOf(at))
        for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
          if (typeof value === "function" && name !== "constructor") methods.add(name);
      expect(methods.size).toBeGreaterThan(0);
      for (const name of methods)
        expect(() => (descriptor as Record<typeof name, () => unknown>)[name]?.(), String(name)).toThrow(
          KernelOnlyError,
        );
    }
    expect(() => global(u32).value).toThrow(/global\.value/);
    expect(() => {
      global(u32).value = anything;
    }).toThrow(KernelOnlyError);
    expect(() => [...hash(u32, u64)]).toThrow(/for \(… of map\)/);
  });
});
