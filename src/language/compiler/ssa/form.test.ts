import { describe, expect, it } from "vitest";
import { Dominators } from "./dominators.ts";
import { dump } from "./dump.ts";
import { findLoops } from "./loops.ts";
import { parse } from "./parse.ts";
import { SsaError } from "./ssa-error.ts";
import { verify } from "./verify.ts";

const ALL_OPERATIONS = `program f(context)
  slot s0 16 align 8 key
b0:
  v0 = param 0 : context
  v1 = slot s0 : stack
  v2 = map m : map
  v3 = global .rodata + 8 : memory
  v4 = function cb : function
  v5 = const 18446744073709551615
  v6 x = load4s v0 + 16
  v7 = load8 v3
  v8 = neg v7
  v9 = sext2 v8
  v10 = zext4 v9
  v11 = bswap8 v10
  store8 v1 + 8, v11
  v13 = atomic8 add v3, v5
  v14 = atomic4 cmpxchg v3 + 4, v5, v6
  v15 p = call helper map_lookup_elem#1(v2, v1) reads 1 : memory?
  v16 = call kfunc bpf_rdonly_cast(v7, v5) pure : kernel?
  v17 = call function g(v4, v1, v1) reads 0 1 writes 2 nothing
  v18 = kload8 v16 - 8 : kernel?
  v19 = const 0
  v20 = bound v7 < 16
  v21 = fits2s v20
  branch ne v15, v19 ? b1 : b2
b1: <- b0, b3 loop 1
  v23 i = phi v19, v27
  v24 = offset v15, v20 : memory
  store1 v24, v21
  branch set v23, v5 ? b3 : b2
b2: <- b0, b1
  v26 = phi v19, v23
  return v26
b3: <- b1 loop 1
  v27 = ashr v23, v5
  jump b1
`;

describe("text form", () => {
  it("reads back what it wrote, for every operation", () => {
    // Numbers of ids differ where instructions without a value stand; the second time around nothing changes any more.
    const once = dump(parse(ALL_OPERATIONS));
    expect(dump(parse(once))).toBe(once);
    expect(once.split("\n").length).toBe(ALL_OPERATIONS.split("\n").length);
    const shape = (text: string): string => text.replace(/v\d+/g, "v").replace(/ loop \d/g, "");
    expect(shape(once)).toBe(shape(ALL_OPERATIONS));
  });

  it("says what it cannot read", () => {
    expect(() => parse("nothing")).toThrow("no function begins with: nothing");
    expect(() => parse("function f()\nb0:\n  v0 = frob 1\n  return v0")).toThrow("cannot read: v0 = frob 1");
    expect(() => parse("function f()\nb0:\n  return v9")).toThrow("no value v9");
    expect(() => parse("function f()\nb0:\n  jump b4")).toThrow("no block b4");
  });
});

describe("dominators and loops", () => {
  it("knows who is passed on every way, with a loop in a loop", () => {
    const func = parse(`function f(scalar)
b0:
  v0 = param 0
  jump b1
b1: <- b0, b5
  branch eq v0, v0 ? b2 : b6
b2: <- b1, b3
  branch ult v0, v0 ? b3 : b4
b3: <- b2
  jump b2
b4: <- b2
  branch ugt v0, v0 ? b5 : b6
b5: <- b4
  jump b1
b6: <- b1, b4
  return v0`);
    const dominators = new Dominators(func);
    const [b0, b1, b2, b3, b4, b5, b6] = func.blocks as [never, never, never, never, never, never, never];
    const id = (block: unknown): number | undefined => (block as { id: number } | undefined)?.id;
    expect([b0, b1, b2, b3, b4, b5, b6].map((block) => id(dominators.idom(block)))).toEqual([
      undefined,
      0,
      1,
      2,
      2,
      4,
      1,
    ]);
    // Against the definition: a dominates b when b cannot be reached without a.
    for (const a of func.blocks)
      for (const b of func.blocks) {
        const seen = new Set(a === func.blocks[0] ? [] : [func.blocks[0]!]);
        for (const block of seen) for (const succ of block.end!.succs) if (succ !== a) seen.add(succ);
        expect(dominators.dominates(a, b)).toBe(a === b || !seen.has(b));
      }
    const loops = findLoops(func, dominators);
    expect(
      loops.map((loop) => [
        loop.head.id,
        [...loop.blocks].map((block) => block.id).sort((a, b) => a - b),
        loop.latches.map(id),
      ]),
    ).toEqual([
      [1, [1, 2, 3, 4, 5], [5]],
      [2, [2, 3], [3]],
    ]);
    expect(func.blocks.map((block) => block.loopDepth)).toEqual([0, 1, 2, 2, 1, 1, 0]);
  });
});

function problems(text: string): readonly string[] {
  try {
    verify(parse(text));
  } catch (error) {
    expect(error).toBeInstanceOf(SsaError);
    return (error as SsaError).problems;
  }
  return [];
}

describe("verify", () => {
  it("takes what is whole", () => {
    expect(problems(ALL_OPERATIONS)).toEqual([]);
  });

  const broken: [string, string, string][] = [
    ["a block nothing reaches", "b0:\n v0 = const 1\n return v0\nb1:\n return v0", "b1 cannot be reached"],
    ["no end", "b0:\n v0 = const 1", "b0 has no end"],
    ["an edge that is not known", "b0:\n jump b1\nb1:\n v0 = const 1\n return v0", "does not know of the edge"],
    [
      "an edge that is none",
      "b0:\n jump b1\nb1: <- b0, b2\n v0 = const 1\n branch eq v0, v0 ? b2 : b3\nb2: <- b1\n return v0\nb3: <- b1\n return v0",
      "has b2 before it, which does not go there",
    ],
    ["an edge to the beginning", "b0: <- b0\n jump b0", "begins the function and an edge leads to it"],
    [
      "both ways to one block",
      "b0:\n v0 = const 1\n branch eq v0, v0 ? b1 : b1\nb1: <- b0\n return v0",
      "goes to one block in both cases",
    ],
    [
      "a value of another arm",
      "b0:\n v0 = const 1\n branch eq v0, v0 ? b1 : b2\nb1: <- b0\n v1 = const 2\n return v1\nb2: <- b0\n return v1",
      "v2 is not there",
    ],
    [
      "a phi with too few operands",
      "b0:\n v0 = const 1\n branch eq v0, v0 ? b1 : b2\nb1: <- b0\n jump b2\nb2: <- b0, b1\n v1 = phi v0\n return v1",
      "has 1 operands, its block 2 predecessors",
    ],
    [
      "a phi of what comes later",
      "b0:\n v0 = const 1\n branch eq v0, v0 ? b1 : b2\nb1: <- b0\n v2 = const 3\n jump b2\nb2: <- b0, b1\n v1 = phi v2, v2\n return v1",
      "v2 is not there at the end of b0",
    ],
    ["arithmetic on an address", "b0:\n v0 = global .bss\n v1 = add v0, v0\n return v1", "v0 is no number"],
    ["reading through a number", "b0:\n v0 = const 1\n v1 = load8 v0\n return v1", "v0 is scalar"],
    ["writing kernel memory", "b0:\n v0 = call kfunc f() : kernel\n store8 v0, v0\n return v0", "v0 is kernel"],
    [
      "reading what may be absent",
      "b0:\n v0 = map m\n v1 = call helper map_lookup_elem#1(v0, v0) : memory?\n v2 = load8 v1\n return v2",
      "v1 may be 0: nothing compared it with 0",
    ],
    [
      "moving what may be absent",
      "b0:\n v0 = map m\n v1 = call helper map_lookup_elem#1(v0, v0) : memory?\n v3 = const 4\n v2 = offset v1, v3\n v4 = load8 v2\n return v4",
      "v1 may be 0",
    ],
    [
      "reading in the wrong arm",
      "b0:\n v0 = map m\n v1 = call helper map_lookup_elem#1(v0, v0) : memory?\n v2 = const 0\n branch eq v1, v2 ? b1 : b2\nb1: <- b0\n v3 = load8 v1\n return v3\nb2: <- b0\n return v2",
      "v1 may be 0",
    ],
    [
      "a phi that hides a null",
      "b0:\n v0 = map m\n v1 = call helper map_lookup_elem#1(v0, v0) : memory?\n v2 = const 0\n branch eq v2, v0 ? b1 : b2\nb1: <- b0\n jump b2\nb2: <- b0, b1\n v3 = phi v1, v1 : memory\n return v2",
      "v1 is nullable, it is not",
    ],
    [
      "a phi of unlike things",
      "b0:\n v0 = const 3\n v1 = global .bss\n branch eq v0, v0 ? b1 : b2\nb1: <- b0\n jump b2\nb2: <- b0, b1\n v3 = phi v0, v1 : memory\n return v0",
      "v0 is scalar",
    ],
    [
      "beyond a slot",
      " slot s0 8 align 8\nb0:\n v0 = slot s0\n v1 = load8 v0 + 4\n return v1",
      "reaches out of s0, which has 8 bytes",
    ],
    [
      "a small atomic",
      "b0:\n v0 = global .bss\n v2 = const 1\n v1 = atomic2 add v0, v2\n return v1",
      "is not of 4 or 8 bytes",
    ],
    [
      "six arguments",
      "b0:\n v0 = const 1\n v1 = call function f(v0, v0, v0, v0, v0, v0)\n return v1",
      "passes 6 arguments",
    ],
    [
      "ordering of addresses",
      "b0:\n v0 = global .bss\n branch ult v0, v0 ? b1 : b2\nb1: <- b0\n jump b2\nb2: <- b0, b1\n v1 = const 0\n return v1",
      "orders addresses",
    ],
    ["a parameter there is not", "b0:\n v0 = param 3\n return v0", "is not what the function takes"],
  ];
  it.each(broken)("refuses %s", (_what, body, expected) => {
    expect(problems(`function f()\n${body}`).join("\n")).toContain(expected);
  });

  it("knows that a merge of two checked addresses was checked, and refuses claims when they should be gone", () => {
    const text = `function f(scalar)
b0:
  v0 = map m
  v1 = call helper map_lookup_elem#1(v0, v0) : memory?
  v2 = const 0
  branch eq v1, v2 ? b1 : b2
b1: <- b0
  v3 = call helper map_lookup_elem#1(v0, v0) : memory?
  branch ne v3, v2 ? b2 : b3
b2: <- b0, b1
  v4 = phi v1, v3 : memory
  v5 = load8 v4
  v6 = bound v5 < 8
  return v6
b3: <- b1
  return v2`;
    expect(problems(text)).toEqual([]);
    expect(() => verify(parse(text), { claims: false })).toThrow("claims are proven by now");
  });
});
