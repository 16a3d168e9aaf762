import { describe, expect, it } from "vitest";
import { compileSource } from "../../../test/support/compile-source.ts";
import { withWords } from "../../../test/support/lower-source.ts";
import { recordedTarget, renamedMember } from "../../../test/support/recorded-target.ts";
import { Machine, World } from "../interp/index.ts";
import { compile } from "./compile.ts";
import type { Target } from "./target.ts";

const NEW = recordedTarget();
/** A kernel whose task_struct has `state` where newer ones have `__state`. */
const OLD = recordedTarget({}, "6.18", (btf) => renamedMember(btf, "task_struct", "__state", "state"));

const diagnosticsOf = (source: string, target: Target = NEW) =>
  compile({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", withWords(source)]]) }, target).diagnostics.map(
    ({ code, message }) => `${code}: ${message}`,
  );
const inProgram = (body: string) => `export const out = global(u64, 7);
function changed(): boolean { out.value = out.value + 1; return true; }
export const p = syscall(() => { const t = task(); ${body} });`;

/** What a program returns and leaves in `out`, whose task has a state of 5. */
const runOn = (target: Target, body: string): [number, unknown] => {
  const { spec } = compileSource(inProgram(body), target);
  const { btf } = target;
  if (btf === undefined) throw new Error("the target has types");
  const world = new World();
  world.task = world.kernelStruct(btf, "task_struct", { [target === NEW ? "__state" : "state"]: 5, pid: 3 });
  const machine = new Machine(spec, { world }) as unknown as Machine;
  const { result } = machine.run("p");
  return [result, machine.variable("out")];
};

describe.each([
  ["has it", NEW],
  ["has it under another name", OLD],
])("on a kernel that %s", (_, target) => {
  const isNew = target === NEW;

  it.each([
    ["?:", "return u32(exists(t.__state) ? t.__state : t.state);", 5],
    ["if", "if (exists(t.__state)) return u32(t.__state); return u32(exists(t.state) ? t.state : 99);", 5],
    ["if and else", "let n = 0; if (exists(t.__state)) { n = t.__state; } else { n = t.state; } return u32(n);", 5],
    ["not", "if (!exists(t.__state)) return u32(t.state); else return u32(t.__state);", 5],
    ["&&", "return exists(t.__state) && t.__state === 5 ? 1 : 2;", isNew ? 1 : 2],
    ["&& behind others", "if (t.pid === 3 && exists(t.__state) && t.__state === 5) return 1; return 2;", isNew ? 1 : 2],
    [
      "|| behind others",
      "if (t.pid === 4 || !exists(t.__state) || t.__state === 6) return 1; return 2;",
      isNew ? 2 : 1,
    ],
    ["in a variable", "const has = exists(t.__state); return has ? 1 : 2;", isNew ? 1 : 2],
    ["members of what is not there", "return exists(t.nothing.at.all) ? t.nothing.at.all : 4;", 4],
    ["members of members", "return exists(t.real_parent.tgid) && !exists(t.real_parent.tgidd) ? 6 : 7;", 6],
    [
      "functions and tracepoints",
      'return (exists("vfs_read") ? 1 : 0) + (exists("vfs_reed") ? 2 : 0) + (exists("sched:sched_switch") ? 4 : 0) + (exists("sched:sched_twitch") ? 8 : 0);',
      5,
    ],
  ])("%s", (__, body, expected) => {
    expect(runOn(target, body)[0]).toBe(expected);
  });

  it("what is tested before is done, whatever is decided", () => {
    expect(runOn(target, "if (changed() && exists(t.__state)) return 1; return 2;")).toEqual([isNew ? 1 : 2, 8n]);
    expect(runOn(target, "return (changed() || exists(t.__state)) ? 1 : 2;")).toEqual([1, 8n]);
    expect(runOn(target, "return (changed() && !exists(t.__state)) ? 1 : 2;")).toEqual([isNew ? 2 : 1, 8n]);
  });
});

it("what is not taken is not compiled", () => {
  const size = (body: string) => compileSource(inProgram(body), NEW).size;
  expect(size("if (exists(t.state)) { out.add(t.state); print(1, t.state); } return 1;")).toBe(size("return 1;"));
  const { module } = compileSource(inProgram("if (exists(t.state)) print(1, t.state); return 1;"), NEW);
  expect(module.maps).toEqual([]);
});

it("fields of a tracepoint's record", () => {
  const source = (field: string) =>
    `export const n = counter(); export const p = tracepoint("syscalls:sys_enter_openat", (ctx) => { if (exists(ctx.${field})) n.add(u64(ctx.${field})); else n.add(1); });`;
  expect(diagnosticsOf(source("flags"))).toEqual([]);
  expect(diagnosticsOf(source("flaggs"))).toEqual([]);
});

it.each([
  ["exists()", "TS2554: `exists` takes 1 argument, and 0 are given."],
  ["exists(3)", /^EB2026: `exists` is asked of a member/],
  ["exists(t.pid.x)", /^EB2026: `t.pid` is i32, which has no members/],
  ['exists("no name")', /^EB2026: "no name" is the name of no function/],
  ["exists(missing.x)", /^TS2304: /],
  ["t.__state === 1 && exists(t.state) && t.stated === 4", ""],
  ["t.stated === 1 && exists(t.state)", /^TS2339: There is no `stated`/],
])("%s", (test, said) => {
  const found = diagnosticsOf(inProgram(`return ${test} ? 1 : 2;`));
  expect(found).toEqual(said === "" ? [] : [said instanceof RegExp ? expect.stringMatching(said) : said]);
});
