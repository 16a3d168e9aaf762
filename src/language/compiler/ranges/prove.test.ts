import { describe, expect, it } from "vitest";
import { dump } from "../ssa/dump.ts";
import { parse } from "../ssa/parse.ts";
import { verify } from "../ssa/verify.ts";
import { Ranges } from "./analysis.ts";
import { dumpRanges } from "./dump-ranges.ts";
import { proveRanges } from "./prove.ts";
import { tripCount } from "./trip-count.ts";

/** What is known of a function, what is wrong with it, and what becomes of it. */
function proven(text: string): string {
  const func = parse(text);
  verify(func);
  const ranges = dumpRanges(func);
  const errors = proveRanges(func).map((error) => `${error.code}: ${error.message}\n`);
  verify(func, { claims: false });
  return `${ranges}\n${errors.join("")}\n${dump(func)}`;
}

describe("proveRanges", () => {
  it("removes what the kernel sees itself", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 16
  branch ult v0, v1 ? b1 : b2
b1: <- b0
  v2 = bound v0 < 16
  v3 = global .bss
  v4 = offset v3, v2
  v5 = load1 v4
  v6 = fits1 v5
  return v6
b2: <- b0
  v7 = const 15
  v8 = and v0, v7
  v9 = bound v8 < 16
  return v9`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = const 16
        branch ult v0, v1 ? b1 : b2
      b1: <- b0
        v3 = bound v0 < 16                           ; 0..15
        v4 = global .bss : memory
        v5 = offset v4, v3 : memory
        v6 = load1 v5                                ; 0..255
        v7 = fits1 v6                                ; 0..255
        return v7
      b2: <- b0
        v9 = const 15
        v10 = and v0, v9                             ; 0..15
        v11 = bound v10 < 16                         ; 0..15
        return v11


      function f(scalar)
      b0:
        v0 = param 0
        v1 = const 16
        branch ult v0, v1 ? b1 : b2
      b1: <- b0
        v4 = global .bss : memory
        v5 = offset v4, v0 : memory
        v6 = load1 v5
        return v6
      b2: <- b0
        v9 = const 15
        v10 = and v0, v9
        return v10
      "
    `);
  });

  it("knows that the lesser of a byte and a large number is a byte, although the kernel walks the other way, too", () => {
    const text = `function f(context)
b0:
  v0 = param 0
  v1 = load1 v0
  v2 = const 4294967277
  branch ult v2, v1 ? b1 : b2
b1: <- b0
  jump b2
b2: <- b0, b1
  v3 = phi v1, v2
  v4 = fits4s v3
  return v4`;
    const said = proven(text);
    expect(said).toMatch(/phi .*; 0\.\.255, kernel: 0\.\.4294967277/);
    expect(said).not.toMatch(/EB/);
  });

  it("clamps by a mask what is below a power of two for us alone", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 10
  v2 = umod v0, v1
  v3 = bound v2 < 16
  v4 = global .bss
  v5 = offset v4, v3
  v6 = load1 v5
  return v6`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = const 10
        v2 = umod v0, v1                             ; 0..9, kernel: any
        v3 = bound v2 < 16                           ; 0..9, kernel: 0..15
        v4 = global .bss : memory
        v5 = offset v4, v3 : memory
        v6 = load1 v5                                ; 0..255
        return v6


      function f(scalar)
      b0:
        v0 = param 0
        v1 = const 10
        v2 = umod v0, v1
        v8 = const 15
        v3 = and v2, v8
        v4 = global .bss : memory
        v5 = offset v4, v3 : memory
        v6 = load1 v5
        return v6
      "
    `);
  });

  it("clamps by a comparison otherwise", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 10
  v2 = umod v0, v1
  v3 = bound v2 < 10
  v4 = udiv v0, v1
  v5 = umod v4, v1
  v6 = bound v5 < 10
  v7 = global .bss
  v8 = offset v7, v3
  v9 = load1 v8
  v10 = offset v7, v6
  v11 = load1 v10
  v12 = add v9, v11
  return v12`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = const 10
        v2 = umod v0, v1                             ; 0..9, kernel: any
        v3 = bound v2 < 10                           ; 0..9
        v4 = udiv v0, v1                             ; 0..1844674407370955161, kernel: any
        v5 = umod v4, v1                             ; 0..9, kernel: any
        v6 = bound v5 < 10                           ; 0..9
        v7 = global .bss : memory
        v8 = offset v7, v3 : memory
        v9 = load1 v8                                ; 0..255
        v10 = offset v7, v6 : memory
        v11 = load1 v10                              ; 0..255
        v12 = add v9, v11                            ; 0..510
        return v12


      function f(scalar)
      b0:
        v0 = param 0
        v1 = const 10
        v2 = umod v0, v1
        branch ult v2, v1 ? b1 : b2
      b1: <- b0, b2
        v3 = phi v2, v16
        v19 = const 10
        v4 = udiv v0, v19
        v5 = umod v4, v19
        branch ult v5, v19 ? b3 : b4
      b2: <- b0
        v16 = const 0
        jump b1
      b3: <- b1, b4
        v6 = phi v5, v20
        v7 = global .bss : memory
        v8 = offset v7, v3 : memory
        v9 = load1 v8
        v10 = offset v7, v6 : memory
        v11 = load1 v10
        v12 = add v9, v11
        return v12
      b4: <- b1
        v20 = const 0
        jump b3
      "
    `);
  });

  it("says what a value may be that is not below its bound, or does not fit", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 4095
  v2 = and v0, v1
  v3 = bound v2 < 256
  v4 = const 100
  v5 = sub v2, v4
  v6 = fits1s v5
  v7 = fits4 v0
  v8 = add v3, v6
  v9 = add v8, v7
  return v9`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = const 4095
        v2 = and v0, v1                              ; 0..4095
        v3 = bound v2 < 256                          ; 0..255
        v4 = const 100
        v5 = sub v2, v4                              ; -100..3995
        v6 = fits1s v5                               ; -100..127, kernel: -100..3995
        v7 = fits4 v0                                ; 0..4294967295, kernel: any
        v8 = add v3, v6                              ; -100..382, kernel: -100..4250
        v9 = add v8, v7                              ; -100..4294967677, kernel: any
        return v9

      EB3101: may be 0..4095
      EB2205: may be -100..3995
      EB2205: may be 0..18446744073709551615

      function f(scalar)
      b0:
        v0 = param 0
        v1 = const 4095
        v2 = and v0, v1
        v4 = const 100
        v5 = sub v2, v4
        v8 = add v2, v5
        v9 = add v8, v0
        return v9
      "
    `);
  });

  it("believes a fitting value after its proof, which needs nothing", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 1000
  v2 = udiv v0, v1
  v3 = const 10000000
  v4 = umod v2, v3
  v5 = fits4 v4
  v6 = global .bss
  store4 v6, v5
  return v5`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = const 1000
        v2 = udiv v0, v1                             ; 0..18446744073709551, kernel: any
        v3 = const 10000000
        v4 = umod v2, v3                             ; 0..9999999, kernel: any
        v5 = fits4 v4                                ; 0..9999999, kernel: any
        v6 = global .bss : memory
        store4 v6, v5
        return v5


      function f(scalar)
      b0:
        v0 = param 0
        v1 = const 1000
        v2 = udiv v0, v1
        v3 = const 10000000
        v4 = umod v2, v3
        v6 = global .bss : memory
        store4 v6, v4
        return v4
      "
    `);
  });

  it("knows a counter in its loop, and that a kernel that asks an iterator forgets it", () => {
    const text = `function f(scalar)
  slot s0 8 align 8 iterator
b0:
  v0 = const 0
  v1 = const 1
  jump b1
b1: <- b0, b2
  v2 i = phi v0, v6
  v3 = const 100
  branch ult v2, v3 ? b2 : b3
b2: <- b1
  v4 = bound v2 < 100
  v5 = global .bss
  v7 = offset v5, v4
  v8 = load1 v7
  v6 = add v2, v1
  jump b1
b3: <- b1
  v9 = slot s0
  jump b4
b4: <- b3, b5
  v10 n = phi v0, v14
  v11 = call kfunc bpf_iter_num_next(v9) : memory?
  branch ne v11, v0 ? b5 : b6
b5: <- b4
  v12 = bound v10 < 8
  v13 = add v12, v1
  v15 = const 7
  v14 = and v13, v15
  jump b4
b6: <- b4
  return v10`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
        slot s0 8 align 8 iterator
      b0:
        v0 = const 0
        v1 = const 1
        jump b1
      b1: <- b0, b2 loop 1
        v3 i = phi v0, v10                           ; 0..100
        v4 = const 100
        branch ult v3, v4 ? b2 : b3
      b2: <- b1 loop 1
        v6 = bound v3 < 100                          ; 0..99
        v7 = global .bss : memory
        v8 = offset v7, v6 : memory
        v9 = load1 v8                                ; 0..255
        v10 = add v3, v1                             ; 1..100
        jump b1
      b3: <- b1
        v12 = slot s0 : stack
        jump b4
      b4: <- b3, b5 loop 1
        v14 n = phi v0, v20                          ; 0..7, kernel: any
        v15 = call kfunc bpf_iter_num_next(v12) : memory?
        branch ne v15, v0 ? b5 : b6
      b5: <- b4 loop 1
        v17 = bound v14 < 8                          ; 0..7
        v18 = add v17, v1                            ; 1..8
        v19 = const 7
        v20 = and v18, v19                           ; 0..7
        jump b4
      b6: <- b4
        return v14
      loop b1: at most 100 turns
      loop b4: at most ? turns


      function f(scalar)
        slot s0 8 align 8 iterator
      b0:
        v0 = const 0
        jump b1
      b1: <- b0, b2 loop 1
        v3 i = phi v0, v10
        v4 = const 100
        v23 = const 0
        branch ult v3, v4 ? b2 : b4
      b2: <- b1 loop 1
        v1 = const 1
        v10 = add v3, v1
        jump b1
      b4: <- b5, b1 loop 1
        v14 n = phi v20, v23
        v12 = slot s0 : stack
        v15 = call kfunc bpf_iter_num_next(v12) : memory?
        v24 = const 0
        branch ne v15, v24 ? b5 : b6
      b5: <- b4 loop 1
        v19 = const 7
        v17 = and v14, v19
        v25 = const 1
        v18 = add v17, v25
        v20 = and v18, v19
        jump b4
      b6: <- b4
        return v14
      "
    `);
  });

  it("joins what both ways know, and folds what the kernel knows", () => {
    const text = `function f(scalar, scalar)
b0:
  v0 = param 0
  v1 = param 1
  v2 = const 5
  branch ult v0, v2 ? b1 : b2
b1: <- b0
  v3 = const 10
  branch ult v1, v3 ? b3 : b9
b2: <- b0
  v4 = const 20
  branch ult v1, v4 ? b3 : b9
b3: <- b1, b2
  v5 = bound v1 < 20
  v6 = const 30
  branch ult v5, v6 ? b4 : b9
b4: <- b3
  return v5
b9: <- b1, b2, b3
  v7 = const 0
  return v7`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar, scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = param 1                                 ; any
        v2 = const 5
        branch ult v0, v2 ? b1 : b2
      b1: <- b0
        v4 = const 10
        branch ult v1, v4 ? b3 : b5
      b2: <- b0
        v6 = const 20
        branch ult v1, v6 ? b3 : b5
      b3: <- b1, b2
        v8 = bound v1 < 20                           ; 0..19
        v9 = const 30
        branch ult v8, v9 ? b4 : b5
      b4: <- b3
        return v8
      b5: <- b1, b2, b3
        v12 = const 0
        return v12


      function f(scalar, scalar)
      b0:
        v0 = param 0
        v1 = param 1
        v2 = const 5
        branch ult v0, v2 ? b1 : b2
      b1: <- b0
        v4 = const 10
        branch ult v1, v4 ? b3 : b5
      b2: <- b0
        v6 = const 20
        branch ult v1, v6 ? b3 : b5
      b3: <- b1, b2
        return v1
      b5: <- b1, b2
        v12 = const 0
        return v12
      "
    `);
  });

  it("keeps a comparison that is decided in truth alone: the kernel learns from it", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 10
  v2 = umod v0, v1
  branch ult v2, v1 ? b1 : b2
b1: <- b0
  v3 = bound v2 < 10
  return v3
b2: <- b0
  v4 = bound v0 < 10
  return v4`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = const 10
        v2 = umod v0, v1                             ; 0..9, kernel: any
        branch ult v2, v1 ? b1 : b2
      b1: <- b0
        v4 = bound v2 < 10                           ; 0..9
        return v4
      b2: <- b0
        v6 = bound v0 < 10                           ; never, kernel: 0..9
        return v6


      function f(scalar)
      b0:
        v0 = param 0
        v1 = const 10
        v2 = umod v0, v1
        branch ult v2, v1 ? b1 : b2
      b1: <- b0
        return v2
      b2: <- b0
        v11 = const 10
        branch ult v0, v11 ? b3 : b4
      b3: <- b2, b4
        v6 = phi v0, v10
        return v6
      b4: <- b2
        v10 = const 0
        jump b3
      "
    `);
  });

  it("does not take a comparison of variables for one that the kernel learns from", () => {
    const text = `function f(scalar, scalar)
b0:
  v0 = param 0
  v1 = param 1
  v2 = const 100
  branch ule v1, v2 ? b1 : b3
b1: <- b0
  branch ult v0, v1 ? b2 : b3
b2: <- b1
  v3 = bound v0 < 100
  return v3
b3: <- b0, b1
  v4 = const 0
  return v4`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar, scalar)
      b0:
        v0 = param 0                                 ; any
        v1 = param 1                                 ; any
        v2 = const 100
        branch ule v1, v2 ? b1 : b3
      b1: <- b0
        branch ult v0, v1 ? b2 : b3
      b2: <- b1
        v5 = bound v0 < 100                          ; 0..99
        return v5
      b3: <- b0, b1
        v7 = const 0
        return v7


      function f(scalar, scalar)
      b0:
        v0 = param 0
        v1 = param 1
        v2 = const 100
        branch ule v1, v2 ? b1 : b3
      b1: <- b0
        branch ult v0, v1 ? b2 : b3
      b2: <- b1
        v11 = const 100
        branch ult v0, v11 ? b4 : b5
      b3: <- b0, b1
        v7 = const 0
        return v7
      b4: <- b2, b5
        v5 = phi v0, v12
        return v5
      b5: <- b2
        v12 = const 0
        jump b4
      "
    `);
  });

  it("makes each bound visible where it is used, for kernels that forget what is spilled", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 15
  v2 = and v0, v1
  v3 = bound v2 < 16
  v4 = global .bss
  v5 = offset v4, v3
  v6 = load1 v5
  return v6`;
    const kept = parse(text);
    expect(proveRanges(kept)).toEqual([]);
    expect(dump(kept).match(/and/g)).toHaveLength(1);
    const forgotten = parse(text);
    expect(proveRanges(forgotten, { spillsKeepBounds: false })).toEqual([]);
    expect(dump(forgotten).match(/and/g)).toHaveLength(2);
    verify(forgotten, { claims: false });
  });

  it("knows how long a text is at most that a helper has copied", () => {
    const text = `function f(scalar)
  slot s0 64 align 8 text
b0:
  v0 = param 0
  v1 = slot s0
  v2 = const 64
  v3 = call helper probe_read_user_str#114(v1, v2, v0) writes 0
  v4 = const 0
  branch sgt v3, v4 ? b1 : b2
b1: <- b0
  v5 = bound v3 < 65
  return v5
b2: <- b0
  return v3`;
    expect(proven(text)).toMatchInlineSnapshot(`
      "function f(scalar)
        slot s0 64 align 8 text
      b0:
        v0 = param 0                                 ; any
        v1 = slot s0 : stack
        v2 = const 64
        v3 = call helper probe_read_user_str#114(v1, v2, v0) writes 0 ; -4095..64, kernel: -9223372036854775808..64
        v4 = const 0
        branch sgt v3, v4 ? b1 : b2
      b1: <- b0
        v6 = bound v3 < 65                           ; 1..64
        return v6
      b2: <- b0
        return v3


      function f(scalar)
        slot s0 64 align 8 text
      b0:
        v0 = param 0
        v1 = slot s0 : stack
        v2 = const 64
        v3 = call helper probe_read_user_str#114(v1, v2, v0) writes 0
        v4 = const 0
        branch sgt v3, v4 ? b1 : b2
      b1: <- b0
        return v3
      b2: <- b0
        return v3
      "
    `);
  });
});

/** Loops by what stands at their head and what counts: how often they go around at most. */
function turns(start: string, test: string, step: string, params = "scalar"): bigint | undefined {
  const func = parse(`function f(${params})
b0:
  v0 = param 0
  v9 = const 255
  v8 = and v0, v9
  v1 = const ${start}
  v2 = const ${step}
  jump b1
b1: <- b0, b2
  v3 = phi v1, v5
  v4 = const 10
  branch ${test} ? b2 : b3
b2: <- b1
  v5 = add v3, v2
  jump b1
b3: <- b1
  return v3`);
  verify(func);
  const ranges = new Ranges(func);
  return tripCount(ranges.loops[0]!, ranges);
}

describe("tripCount", () => {
  it("counts up and down to constants", () => {
    expect(turns("0", "ult v3, v4", "1")).toBe(10n);
    expect(turns("0", "ule v3, v4", "1")).toBe(11n);
    expect(turns("0", "ult v3, v4", "3")).toBe(4n);
    expect(turns("0", "ne v3, v4", "1")).toBe(10n);
    expect(turns("10", "ult v3, v4", "1")).toBe(0n);
    expect(turns("-5", "slt v3, v4", "2")).toBe(8n);
    expect(turns("25", "ugt v3, v4", "-1")).toBe(15n);
    expect(turns("25", "sge v3, v4", "-5")).toBe(4n);
    expect(turns("0", "ugt v4, v3", "1")).toBe(10n);
  });
  it("counts to what a variable can be at most", () => {
    expect(turns("0", "ult v3, v8", "1")).toBe(255n);
    expect(turns("3", "ult v3, v8", "4")).toBe(63n);
  });
  it("counts nothing that may never end, or runs past its limit", () => {
    expect(turns("0", "ult v3, v0", "1")).toBe(0xffff_ffff_ffff_ffffn);
    expect(turns("0", "ult v3, v0", "2")).toBeUndefined();
    expect(turns("0", "ne v3, v4", "3")).toBeUndefined();
    expect(turns("0", "ugt v3, v4", "1")).toBeUndefined();
    expect(turns("0", "ult v0, v4", "1")).toBeUndefined();
    expect(turns("0", "ult v3, v4", "0")).toBeUndefined();
    expect(turns("30", "ugt v3, v4", "-20")).toBeUndefined();
    expect(turns("0", "uge v4, v9", "1")).toBeUndefined();
  });

  it("ends ways that are never taken, where the kernel would forget what it knew", () => {
    const text = `program p(context)
b0:
  v0 = param 0
  v1 = load4 v0
  v2 = const 32
  v3 = shl v1, v2
  v4 = const 0
  branch ugt v3, v4 ? b1 : b3
b1: <- b0
  v5 = const 4
  branch ugt v3, v5 ? b2 : b3
b2: <- b1
  jump b3
b3: <- b0, b1, b2
  v6 = phi v4, v3, v5
  branch ult v6, v1 ? b4 : b5
b4: <- b3
  store8 v0 + 8, v6
  return v4
b5: <- b3
  return v5`;
    const func = parse(text);
    proveRanges(func);
    verify(func, { claims: false });
    // Of the numbers from 1 to 4 none has 32 zeros at its end. What went there returns.
    expect(dump(func)).toMatchInlineSnapshot(`
      "program p(context)
      b0:
        v0 = param 0 : context
        v1 = load4 v0
        v2 = const 32
        v3 = shl v1, v2
        v4 = const 0
        branch ugt v3, v4 ? b1 : b3
      b1: <- b0
        v6 = const 4
        branch ugt v3, v6 ? b3 : b6
      b3: <- b0, b1
        v9 = phi v4, v6
        branch ult v9, v1 ? b4 : b5
      b4: <- b3
        store8 v0 + 8, v9
        v15 = const 0
        return v15
      b5: <- b3
        v16 = const 4
        return v16
      b6: <- b1
        v17 = const 0
        return v17
      "
    `);
  });

  it("leaves a branch that tells the kernel what holds behind both its ways", () => {
    // Of what 0xf1 leaves, up to 199, none is between 193 and 199 but 193; above 192 that is all there is.
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 241
  v2 = and v0, v1
  v3 = const 200
  branch ult v2, v3 ? b1 : b5
b1: <- b0
  v4 = const 192
  v5 = const 0
  v6 = const 1
  branch ugt v2, v4 ? b2 : b3
b2: <- b1
  jump b4
b3: <- b1
  jump b4
b4: <- b2, b3
  v7 = phi v6, v5
  v8 = bound v2 < 196
  v9 = global .bss
  v10 = offset v9, v8
  v11 = load1 v10
  v12 = add v11, v7
  return v12
b5: <- b0
  return v3`;
    const func = parse(text);
    expect(proveRanges(func)).toEqual([]);
    verify(func, { claims: false });
    const branches = func.blocks.filter(({ end }) => end?.op === "branch");
    // Either the branch is left, or there is a clamp.
    expect(branches.length).toBe(2);
  });
});
