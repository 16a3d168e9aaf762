import { describe, expect, it } from "vitest";
import { dump } from "./dump.ts";
import { optimise } from "./optimise.ts";
import { parse } from "./parse.ts";
import { verify } from "./verify.ts";

/** The text of what becomes of it; every pass has to leave it whole. */
function optimised(text: string): string {
  const func = parse(text);
  verify(func);
  optimise(func, {
    after: (pass) => {
      try {
        verify(func);
      } catch (error) {
        throw new Error(`after ${pass}: ${(error as Error).message}\n${dump(func)}`);
      }
    },
  });
  return dump(func);
}

describe("optimise", () => {
  it("makes one test of what may be absent and the test of it", () => {
    const text = `program f(context)
  slot s0 8 align 8 key
b0:
  v0 = param 0
  v1 = load8 v0 + 8
  v2 = slot s0
  store8 v2, v1
  v3 = map m
  v4 = call helper map_lookup_elem#1(v3, v2) reads 1 : memory?
  v5 = const 0
  branch ne v4, v5 ? b1 : b2
b1: <- b0
  v6 = load8 v4
  v7 = const 1
  jump b3
b2: <- b0
  v8 = const 0
  v9 = const 0
  jump b3
b3: <- b1, b2
  v10 t = phi v6, v8
  v11 = phi v7, v9
  v12 = const 0
  branch eq v11, v12 ? b4 : b5
b4: <- b3
  v13 = const 0
  return v13
b5: <- b3
  v14 = load8 v0 + 8
  v15 = sub v14, v10
  v16 = slot s0
  store8 v16, v14
  v17 = call helper map_delete_elem#3(v3, v16) reads 1
  return v15`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "program f(context)
        slot s0 8 align 8 key
      b0:
        v0 = param 0 : context
        v1 = load8 v0 + 8
        v2 = slot s0 : stack
        store8 v2, v1
        v4 = map m : map
        v5 = call helper map_lookup_elem#1(v4, v2) reads 1 : memory?
        v6 = const 0
        branch ne v5, v6 ? b1 : b7
      b1: <- b0
        v8 t = load8 v5
        v21 = sub v1, v8
        v29 = map m : map
        v30 = slot s0 : stack
        v24 = call helper map_delete_elem#3(v29, v30) reads 1
        return v21
      b7: <- b0
        v31 = const 0
        return v31
      "
    `);
  });

  it("makes one test of a reference with a fallback", () => {
    const text = `program f(context)
b0:
  v3 = map m
  v4 = call helper map_lookup_elem#1(v3, v3) : memory?
  v5 = const 0
  branch ne v4, v5 ? b3 : b1
b1: <- b0
  v6 = call helper map_lookup_elem#1(v3, v3) : memory?
  jump b3
b3: <- b0, b1
  v10 p = phi v4, v6 : memory?
  branch eq v10, v5 ? b4 : b5
b4: <- b3
  return v5
b5: <- b3
  v14 = load8 v10 + 8
  return v14`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "program f(context)
      b0:
        v0 = map m : map
        v1 = call helper map_lookup_elem#1(v0, v0) : memory?
        v2 = const 0
        branch ne v1, v2 ? b4 : b1
      b1: <- b0
        v13 = map m : map
        v4 p = call helper map_lookup_elem#1(v13, v13) : memory?
        v14 = const 0
        branch eq v4, v14 ? b3 : b4
      b3: <- b1
        v15 = const 0
        return v15
      b4: <- b1, b0
        v12 p = phi v4, v1 : memory
        v9 = load8 v12 + 8
        return v9
      "
    `);
  });

  it("makes && of comparisons jumps, and leaves the comparisons two", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 4
  branch uge v0, v1 ? b1 : b2
b1: <- b0
  v2 = const 12
  branch ule v0, v2 ? b3 : b4
b2: <- b0
  v3 = const 0
  jump b5
b3: <- b1
  v4 = const 1
  jump b5
b4: <- b1
  v5 = const 0
  jump b5
b5: <- b2, b3, b4
  v6 = phi v3, v4, v5
  v7 = const 0
  branch ne v6, v7 ? b6 : b7
b6: <- b5
  return v0
b7: <- b5
  return v7`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0
        v1 = const 4
        branch uge v0, v1 ? b1 : b7
      b1: <- b0
        v3 = const 12
        branch ule v0, v3 ? b10 : b7
      b7: <- b1, b0
        v5 = const 0
        return v5
      b10: <- b1
        return v0
      "
    `);
  });

  it("keeps a phi for what was computed where a way now goes past", () => {
    const text = `function f(scalar, scalar)
b0:
  v0 = param 0
  v1 = param 1
  v2 = const 0
  v3 = const 1
  branch eq v0, v2 ? b1 : b2
b1: <- b0
  v4 = call function g(v1)
  jump b3
b2: <- b0
  jump b3
b3: <- b1, b2
  v5 = phi v4, v1
  v6 = phi v3, v2
  v7 = add v5, v3
  branch eq v6, v2 ? b4 : b5
b4: <- b3
  v8 = call function h(v7)
  jump b5
b5: <- b3, b4
  return v7`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar, scalar)
      b0:
        v0 = param 0
        v1 = param 1
        v2 = const 0
        branch eq v0, v2 ? b1 : b7
      b1: <- b0
        v5 = call function g(v1)
        v3 = const 1
        v15 = add v5, v3
        jump b5
      b5: <- b7, b1
        v20 = phi v16, v15
        return v20
      b7: <- b0
        v21 = const 1
        v16 = add v1, v21
        v12 = call function h(v16)
        jump b5
      "
    `);
  });

  it("leaves loops entered at their head", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 0
  v2 = const 1
  jump b1
b1: <- b0, b2
  v3 i = phi v1, v5
  v4 = const 10
  branch ult v3, v4 ? b2 : b3
b2: <- b1
  v5 = add v3, v2
  jump b1
b3: <- b1
  return v3`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v1 = const 0
        jump b1
      b1: <- b0, b2 loop 1
        v4 i = phi v1, v7
        v5 = const 10
        branch ult v4, v5 ? b2 : b3
      b2: <- b1 loop 1
        v2 = const 1
        v7 = add v4, v2
        jump b1
      b3: <- b1
        return v4
      "
    `);
  });

  it("makes fields of a slot values, through a loop, cut to their size", () => {
    const text = `function f(scalar)
  slot s0 16 align 8 pair
b0:
  v0 = param 0
  v1 = slot s0
  v2 = const 0
  store4 v1, v0
  store8 v1 + 8, v2
  jump b1
b1: <- b0, b2
  v3 = load8 v1 + 8
  v4 = const 10
  branch ult v3, v4 ? b2 : b3
b2: <- b1
  v5 = slot s0
  v6 = load8 v5 + 8
  v7 = const 1
  v8 = add v6, v7
  store8 v5 + 8, v8
  jump b1
b3: <- b1
  v9 = load4s v1
  v10 = load8 v1 + 8
  v11 = add v9, v10
  return v11`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar)
        slot s0 16 align 8 pair
      b0:
        v0 pair = param 0
        v2 = const 0
        jump b1
      b1: <- b0, b2 loop 1
        v19 pair = phi v2, v12
        v7 = const 10
        branch ult v19, v7 ? b2 : b3
      b2: <- b1 loop 1
        v11 = const 1
        v12 = add v19, v11
        jump b1
      b3: <- b1
        v15 = sext4 v0
        v17 = add v15, v19
        return v17
      "
    `);
  });

  it("knows what kind fields are that are stored in each other around a loop", () => {
    const text = `function f()
  slot s0 8 align 8 first
  slot s1 8 align 8 second
  slot s2 8 align 8 third
b0:
  v1 = slot s0
  v2 = slot s1
  v3 = slot s2
  v4 = const 0
  store8 v1, v4
  store8 v2, v4
  store8 v3, v4
  v5 = map m
  jump b1
b1: <- b0, b2
  v6 = load8 v1 : memory?
  v7 = load8 v2 : memory?
  v8 = load8 v3 : memory?
  v9 = call helper map_lookup_elem#1(v5, v5) : memory?
  branch eq v6, v4 ? b2 : b3
b2: <- b1
  store8 v1, v7
  store8 v2, v8
  store8 v3, v9
  jump b1
b3: <- b1
  v10 = load8 v6
  return v10`;
    expect(optimised(text).match(/(first|second|third) = phi .* : memory\?$/gm)).toHaveLength(3);
  });

  it("leaves slots whose address goes somewhere, or that are indexed; forwards what is stored to others until a call writes", () => {
    const text = `function f(scalar)
  slot s0 8 align 8 escapes
  slot s1 8 align 8 indexed
  slot s2 8 align 8 key
b0:
  v0 = param 0
  v1 = slot s0
  v2 = slot s1
  v3 = slot s2
  v4 = const 7
  store8 v1, v4
  v5 = call function g(v1)
  v6 = load8 v1
  store8 v2, v4
  v7 = and v0, v4
  v8 = offset v2, v7
  store1 v8, v0
  v9 = load8 v2
  store8 v3, v0
  v10 = call helper lookup#1(v3) reads 0
  v11 = load8 v3
  v12 = call helper get#2(v3) writes 0
  v13 = load8 v3
  v14 = call function use(v6, v9, v10, v11, v13)
  return v14`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar)
        slot s0 8 align 8 escapes
        slot s1 8 align 8 indexed
        slot s2 8 align 8 key
      b0:
        v0 = param 0
        v1 = slot s0 : stack
        v4 = const 7
        store8 v1, v4
        v6 = call function g(v1)
        v7 = load8 v1
        v2 = slot s1 : stack
        store8 v2, v4
        v9 = and v0, v4
        v10 = offset v2, v9 : stack
        store1 v10, v0
        v12 = load8 v2
        v3 = slot s2 : stack
        store8 v3, v0
        v14 = call helper lookup#1(v3) reads 0
        v16 = call helper get#2(v3) writes 0
        v17 = load8 v3
        v18 = call function use(v7, v12, v14, v0, v17)
        return v18
      "
    `);
  });

  it("stores without the extension of bytes that are not stored", () => {
    const text = `program f(context)
  slot s0 16 align 8 pair
b0:
  v0 = param 0
  v1 = call helper get_current_pid_tgid#14()
  v2 = zext4 v1
  v3 = slot s0
  store4 v3, v2
  v4 = sext2 v2
  store1 v3 + 4, v4
  v5 = zext2 v1
  store4 v3 + 8, v5
  v7 = map m
  v8 = call helper map_delete_elem#3(v7, v3) reads 1
  return v8`;
    const result = optimised(text);
    expect(result).toMatch(/store4 (v\d+), v1\n/);
    expect(result).toMatch(/store1 (v\d+) \+ 4, v1\n/);
    expect(result).toMatch(/(v\d+) = zext2 v1\n\s+store4 v\d+ \+ 8, \1\n/);
    expect(result).not.toContain("sext");
  });
  it("takes a value whole that is taken apart and put together again", () => {
    const text = (left: number) => `program f(context)
b0:
  v0 = param 0
  v1 = call helper get_current_pid_tgid#14() pure
  v2 = const 32
  v3 = lshr v1, v2
  v4 = const ${left}
  v5 = shl v3, v4
  v6 = zext4 v1
  v7 = or v6, v5
  return v7`;
    expect(optimised(text(32))).toMatch(/(v\d+) = call [^\n]*\n\s+return \1\n$/);
    expect(optimised(text(31))).toContain(" or ");
  });
  it("drops stores that are overwritten, or that nobody reads any more", () => {
    const text = `function f(scalar)
  slot s0 16 align 8 key
b0:
  v0 = param 0
  v1 = slot s0
  v2 = const 0
  store8 v1, v2
  store8 v1 + 8, v2
  store8 v1, v0
  store4 v1 + 8, v0
  v3 = load4 v1 + 12
  v4 = call helper lookup#1(v1) reads 0
  store8 v1, v2
  v5 = add v3, v4
  return v5`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar)
        slot s0 16 align 8 key
      b0:
        v0 = param 0
        v1 = slot s0 : stack
        v2 = const 0
        store8 v1 + 8, v2
        store8 v1, v0
        store4 v1 + 8, v0
        v7 = load4 v1 + 12
        v8 = call helper lookup#1(v1) reads 0
        v10 = add v7, v8
        return v10
      "
    `);
  });

  it("shares pure calls, context, rodata; kernel memory until a call; never what other CPUs write", () => {
    const text = `program f(context)
b0:
  v0 = param 0
  v1 = call helper get_current_task_btf#158() pure : kernel
  v2 = kload4 v1 + 8
  v3 = global .rodata + 4
  v4 = load4 v3
  v5 = global .bss
  v6 = load8 v5
  v7 = load8 v0 + 16
  v8 = call helper get_current_task_btf#158() pure : kernel
  v9 = kload4 v8 + 8
  v10 = load8 v5
  v11 = call function g(v2, v4, v6, v7, v9)
  v12 = kload4 v8 + 8
  v13 = global .rodata + 4
  v14 = load4 v13
  v15 = load8 v0 + 16
  v16 = call function g(v10, v12, v14, v15)
  return v16`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "program f(context)
      b0:
        v0 = param 0 : context
        v1 = call helper get_current_task_btf#158() pure : kernel
        v2 = kload4 v1 + 8
        v3 = global .rodata + 4 : memory
        v4 = load4 v3
        v5 = global .bss : memory
        v6 = load8 v5
        v7 = load8 v0 + 16
        v10 = load8 v5
        v11 = call function g(v2, v4, v6, v7, v2)
        v12 = kload4 v1 + 8
        v16 = call function g(v10, v12, v4, v7)
        return v16
      "
    `);
  });

  it("computes anew what was computed before a check of its operand, and addresses in each block", () => {
    const text = `function f(scalar, scalar)
b0:
  v0 = param 0
  v1 = param 1
  v2 = const 3
  v3 = shl v0, v2
  v4 = add v1, v2
  v5 = call function g(v3, v4)
  v6 = const 16
  branch ult v0, v6 ? b1 : b2
b1: <- b0
  v7 = shl v0, v2
  v8 = add v1, v2
  v9 = global .bss
  v10 = offset v9, v7
  v11 = offset v9, v7
  store8 v10, v8
  store8 v11, v7
  return v8
b2: <- b0
  v12 = const 0
  return v12`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar, scalar)
      b0:
        v0 = param 0
        v1 = param 1
        v2 = const 3
        v3 = shl v0, v2
        v4 = add v1, v2
        v5 = call function g(v3, v4)
        v6 = const 16
        branch ult v0, v6 ? b1 : b2
      b1: <- b0
        v18 = const 3
        v8 = shl v0, v18
        v10 = global .bss : memory
        v11 = offset v10, v8 : memory
        store8 v11, v4
        store8 v11, v8
        return v4
      b2: <- b0
        v16 = const 0
        return v16
      "
    `);
  });

  it("decides a comparison that was made on the way", () => {
    const text = `function f(scalar, scalar)
b0:
  v0 = param 0
  v1 = param 1
  branch ult v0, v1 ? b1 : b2
b1: <- b0
  v2 = call function g()
  branch ugt v1, v0 ? b3 : b4
b2: <- b0
  branch eq v0, v1 ? b3 : b4
b3: <- b1, b2
  v3 = const 3
  return v3
b4: <- b1, b2
  v4 = const 4
  return v4`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar, scalar)
      b0:
        v0 = param 0
        v1 = param 1
        branch ult v0, v1 ? b1 : b2
      b1: <- b0
        v3 = call function g()
        jump b3
      b2: <- b0
        branch eq v0, v1 ? b3 : b4
      b3: <- b1, b2
        v6 = const 3
        return v6
      b4: <- b2
        v8 = const 4
        return v8
      "
    `);
  });

  it("takes out what nobody uses, loads and pure calls among it, and no claims", () => {
    const text = `program f(context)
b0:
  v0 = param 0
  v1 = load8 v0
  v2 = mul v1, v1
  v3 = call helper pid#14() pure
  v4 = load8 v0 + 8
  v5 = bound v4 < 16
  v6 = const 0
  jump b1
b1: <- b0, b2
  v7 = phi v6, v9
  v8 = load4 v0 + 24
  branch eq v8, v6 ? b2 : b3
b2: <- b1
  v9 = add v7, v8
  jump b1
b3: <- b1
  return v6`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "program f(context)
      b0:
        v0 = param 0 : context
        v4 = load8 v0 + 8
        v5 = bound v4 < 16
        jump b1
      b1: <- b0, b1 loop 1
        v9 = load4 v0 + 24
        v6 = const 0
        branch eq v9, v6 ? b1 : b3
      b3: <- b1
        v14 = const 0
        return v14
      "
    `);
  });

  it("divides by powers of two in a way that the kernel follows", () => {
    const text = `function f(scalar)
b0:
  v0 = param 0
  v1 = const 64
  v2 = udiv v0, v1
  v3 = umod v0, v1
  v4 = const 0
  v5 = sub v2, v4
  v6 = zext8 v5
  v7 = add v3, v6
  v8 = const 10
  v9 = umod v7, v8
  return v9`;
    expect(optimised(text)).toMatchInlineSnapshot(`
      "function f(scalar)
      b0:
        v0 = param 0
        v11 = const 6
        v2 = lshr v0, v11
        v12 = const 63
        v3 = and v0, v12
        v7 = add v2, v3
        v8 = const 10
        v9 = umod v7, v8
        return v9
      "
    `);
  });
});
