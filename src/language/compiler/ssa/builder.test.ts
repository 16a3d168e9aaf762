import { describe, expect, it } from "vitest";
import { Builder, Variable } from "./builder.ts";
import { dump } from "./dump.ts";
import type { Inst } from "./ir.ts";
import { SsaError } from "./ssa-error.ts";

function text(builder: Builder): string {
  return dump(builder.finish());
}

describe("Builder", () => {
  it("joins what a variable is on two ways by a phi, and only there", () => {
    const b = new Builder("f", "function", ["scalar"]);
    const x = new Variable("x");
    const y = new Variable("y");
    b.write(x, b.constant(1));
    b.write(y, b.param(0));
    const yes = b.newBlock();
    const no = b.newBlock();
    const after = b.newBlock();
    b.branch("eq", b.param(0), b.constant(0), yes, no);
    b.enter(yes);
    b.write(x, b.constant(2));
    b.jump(after);
    b.enter(no);
    b.jump(after);
    b.enter(after);
    b.ret(b.add(b.read(x), b.read(y)));
    expect(text(b)).toBe(`function f(scalar)
b0:
  v1 y = param 0
  v0 x = const 1
  v2 = const 0
  branch eq v1, v2 ? b1 : b2
b1: <- b0
  v4 x = const 2
  jump b3
b2: <- b0
  jump b3
b3: <- b1, b2
  v7 x = phi v4, v0
  v9 = add v7, v1
  return v9
`);
  });

  it("makes phis of a loop's variables, none of what the loop leaves alone, and gives callers what stands for them", () => {
    const b = new Builder("f", "function", ["scalar"]);
    const i = new Variable("i");
    const n = new Variable("n");
    b.write(i, b.constant(0));
    b.write(n, b.param(0));
    const head = b.newBlock();
    const body = b.newBlock();
    const after = b.newBlock();
    b.jump(head);
    b.at(head);
    const early = b.read(n);
    expect(early.op).toBe("phi");
    b.branch("ult", b.read(i), early, body, after);
    b.enter(body);
    b.write(i, b.add(b.read(i), b.constant(1)));
    b.jump(head);
    b.seal(head);
    b.enter(after);
    // `early` was a phi of n and itself: what is made of it now is made of n.
    b.ret(b.add(early, b.read(i)));
    expect(text(b)).toBe(`function f(scalar)
b0:
  v1 n = param 0
  v0 i = const 0
  jump b1
b1: <- b0, b2
  v4 i = phi v0, v7
  branch ult v4, v1 ? b2 : b3
b2: <- b1
  v6 = const 1
  v7 i = add v4, v6
  jump b1
b3: <- b1
  v9 = add v1, v4
  return v9
`);
  });

  it("knows addresses through phis, and that 0 makes them nullable, through loops too", () => {
    const b = new Builder("f", "program", ["context"]);
    const p = new Variable("p");
    const slot = b.newSlot(8, 8, "key");
    const lookup = { kind: "helper", name: "map_lookup_elem", id: 1, reads: [1] } as const;
    b.write(p, b.call(lookup, [b.map("m"), b.slot(slot)], { kind: "memory", nullable: false }));
    const head = b.newBlock();
    const body = b.newBlock();
    const after = b.newBlock();
    b.jump(head);
    b.at(head);
    const seen = b.read(p);
    expect([seen.kind, seen.nullable]).toEqual(["memory", false]);
    b.branch("eq", b.load(b.param(0), 0, 8), b.constant(0), body, after);
    b.enter(body);
    b.write(p, b.constant(0));
    b.jump(head);
    b.seal(head);
    expect([seen.kind, seen.nullable]).toEqual(["memory", true]);
    b.enter(after);
    b.ret(b.constant(0));
    expect(text(b)).toContain("v4 p = phi v2, v9 : memory?");
    expect(() => b.constant(0)).toThrow("f is finished");
  });

  it("drops what is written after a return, with its edges", () => {
    const b = new Builder("f", "function", ["scalar"]);
    const x = new Variable("x");
    b.write(x, b.param(0));
    const after = b.newBlock();
    const yes = b.newBlock();
    b.branch("ugt", b.param(0), b.constant(9), yes, after);
    b.enter(yes);
    b.ret(b.constant(1));
    expect(b.reachable).toBe(false);
    b.write(x, b.constant(7));
    b.jump(after);
    b.enter(after);
    expect(b.reachable).toBe(true);
    b.ret(b.read(x));
    expect(text(b)).toBe(`function f(scalar)
b0:
  v0 x = param 0
  v1 = const 9
  branch ugt v0, v1 ? b2 : b1
b1: <- b0
  return v0
b2: <- b0
  v3 = const 1
  return v3
`);
  });

  it("folds constants, and branches on them", () => {
    const b = new Builder("f", "function", []);
    const yes = b.newBlock();
    const no = b.newBlock();
    b.branch("slt", b.constant(-1), b.mul(b.constant(3), b.constant(0)), yes, no);
    b.enter(yes);
    b.ret(b.sub(b.constant(1), b.constant(2)));
    b.enter(no);
    b.ret(b.constant(5));
    const out = text(b);
    expect(out).toContain("jump b1");
    expect(out).toContain("const 18446744073709551615");
    expect(out).not.toContain("b2");
  });

  it("refuses misuse with what was wrong", () => {
    const b = new Builder("f", "function", []);
    expect(() => b.param(0)).toThrow("f has no parameter 0");
    expect(() => b.read(new Variable("x"))).toThrow("x is read in f before it is written");
    const block = b.newBlock();
    b.jump(block);
    b.enter(block);
    expect(() => b.seal(block)).toThrow("sealed twice");
    expect(() => b.phi([])).toThrow("a phi of 0 values in b1, which has 1 edges");
    expect(() => b.jump(block)).toThrow("an edge from b1 to b1, which is sealed");
    const open = new Builder("g", "function", []);
    const never = open.newBlock();
    open.jump(never);
    expect(() => open.finish()).toThrow("b1 of g has no end");
    open.at(never);
    open.ret(open.constant(0));
    expect(() => open.finish()).toThrow("b1 of g was never sealed");
    open.seal(never);
    open.finish();
    let thrown: unknown;
    try {
      open.at(never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SsaError);
    expect((thrown as SsaError).code).toBe("misuse");
  });

  it("reads through ten thousand blocks without a deep stack", () => {
    const b = new Builder("f", "function", ["scalar"]);
    const x = new Variable("x");
    b.write(x, b.param(0));
    for (let i = 0; i < 10_000; i++) {
      const next = b.newBlock();
      b.jump(next);
      b.enter(next);
    }
    const read: Inst = b.read(x);
    expect(read.op).toBe("param");
  });
});
