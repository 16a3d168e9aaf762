import { describe, expect, it } from "vitest";
import { BODIES, EVERY_KIND, NEWER } from "../../../../test/support/accepted-programs.ts";
import { inProgram, loweringFaults, lowerSource, OLD } from "../../../../test/support/lower-source.ts";
import { dump } from "../ssa/dump.ts";

describe("the form's rules hold", () => {
  it.each([...BODIES, ...NEWER])("%s", (_, body) => {
    expect(lowerSource(inProgram(body)).functions.length).toBeGreaterThan(0);
  });
  it.each(BODIES)("on an old kernel: %s", (_, body) => {
    expect(lowerSource(inProgram(body), OLD).functions.length).toBeGreaterThan(0);
  });
  it.each(NEWER)("without iterators: %s", (_, body) => {
    expect(lowerSource(inProgram(body), { iterNum: false }).functions.length).toBeGreaterThan(0);
  });

  it("programs of every kind", () => {
    const { functions } = lowerSource(EVERY_KIND);
    expect(
      functions
        .map(({ name }) => name)
        .sort()
        .join(""),
    ).toBe("abcdefghijklm");
  });
});

describe("what the target cannot do", () => {
  it("says so, and what to do", () => {
    expect(loweringFaults(inProgram("for (const [key] of started) seen.add(key);"), OLD)[0]).toMatch(/^EB4301: /);
    expect(
      loweringFaults(
        inProgram("let n = ctx.mode; while (n > 1 && atMost(1000000)) { n = n / 2; seen.add(n); }"),
        OLD,
      )[0],
    ).toContain("EB4301: this loop may turn 1,000,000 times, which Linux");
    expect(loweringFaults(inProgram("for (const i of range(ktime())) seen.add(i);"), OLD)[0]).toBe(
      "EB2301: nothing says how often this range turns at most",
    );
  });
  it("loops without a bound", () => {
    expect(loweringFaults(inProgram("for (let i = 0; i < ktime(); i++) seen.add(1);"))[0]).toBe(
      "EB2301: nothing says how often it turns at most",
    );
    expect(loweringFaults(inProgram("for (const i of range(100000000)) seen.add(i);"))[0]).toBe(
      "EB2302: this loop may turn 100,000,000 times",
    );
  });
});

describe("what comes out", () => {
  const program = (body: string) => {
    const { functions } = lowerSource(inProgram(body));
    return dump(functions.find(({ name }) => name === "p") as (typeof functions)[number]);
  };

  const slotsOf = (body: string) =>
    lowerSource(inProgram(body)).functions.flatMap(({ slots }) => slots.map(({ name }) => name));

  it("a copy of a scalar is a look-up, a test and a load", () => {
    expect(program("const t = started.get(pid()); if (t === undefined) return; seen.value = t;")).toMatchSnapshot();
  });
  it("a counter is put there on a miss alone", () => {
    expect(program("opens.inc(comm());")).toMatchSnapshot();
  });
  it("an event is written in place, padding as zeros", () => {
    expect(program('events.emit({ n: 1, small: 2, name: "x", list: [1, 2, 3, 4] });')).toMatchSnapshot();
  });
  it("a text is compared by words, up to and with its NUL", () => {
    expect(program('const c = comm(); if (c === "bash") seen.add(1);')).toMatchSnapshot();
  });
  it("a text that stands in a kernel struct is copied from there, straight to where it goes", () => {
    const text = program("const s = stats.ref(1); if (s) s.name = kernelStr(task().comm);");
    expect(text).not.toContain("kload");
    // The key is all there is on the stack.
    expect(slotsOf("const s = stats.ref(1); if (s) s.name = kernelStr(task().comm);")).toEqual(["key"]);
    expect(slotsOf("const s = stats.ref(1); if (s) s.name = userStr(ctx.filename);")).toEqual(["key"]);
    // What may read what it is written to is made elsewhere first.
    expect(
      slotsOf("const s = stats.ref(1); const o = stats.ref(2); if (s && o) s.list = [o.list[1], o.list[0], 3, 4];"),
    ).toContain("copy");
  });
  it("the zeros that a new value begins with are not made on the stack", () => {
    expect(slotsOf("const s = stats.getOrInsert(1); if (s) s.n++;")).toEqual(["key"]);
    const { lowered } = lowerSource(inProgram("const s = stats.getOrInsert(1); if (s) s.n++;"));
    // Behind the parameter.
    expect(lowered.layout.sizes.get(".rodata")).toBe(8 + 48);
  });
  it("a function that each program calls once is put in place in each", () => {
    const body =
      "for (const i of range(100000)) { n.add(i); n.add(i * 3); n.add(i * 5); n.add(i * 7); n.add(i * 9); n.add(i * 11); }";
    const source = (calls: string) => `
const n = global(u64, 0);
function work(): void { ${body} }
export const a = interval({ ms: 1 }, () => { work(); });
export const b = interval({ ms: 1 }, () => { ${calls} });`;
    const names = (text: string) => lowerSource(text).functions.map(({ name }) => name);
    expect(names(source("work();"))).toEqual(["a", "b"]);
    expect(names(source("work(); work();"))).toContain("work");
  });
  it("what a kernel pointer points to is loaded through it", () => {
    expect(program("if (task().real_parent.tgid === 1) seen.add(1);")).toMatchSnapshot();
  });
});
