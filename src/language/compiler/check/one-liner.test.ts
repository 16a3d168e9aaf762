import { describe, expect, it } from "vitest";
import { ALL_FEATURES } from "../../../../test/support/recorded-target.ts";
import type { Target } from "../target.ts";
import { check } from "./check.ts";

const FORMAT = `name: sys_enter_openat
ID: 7
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int __syscall_nr;	offset:8;	size:4;	signed:1;
	field:int dfd;	offset:16;	size:8;	signed:0;
	field:const char * filename;	offset:24;	size:8;	signed:0;
	field:int flags;	offset:32;	size:8;	signed:0;
	field:umode_t mode;	offset:40;	size:8;	signed:0;

print fmt: "dfd: 0x%08lx", ((unsigned long)(REC->dfd))
`;

const TARGET: Target = {
  arch: "x64",
  byteOrder: "little",
  btf: undefined,
  release: "6.18.0",
  cpus: 2,
  features: ALL_FEATURES,
  hasHelper: () => true,
  tracepointFormat: (category, name) => (`${category}:${name}` === "syscalls:sys_enter_openat" ? FORMAT : undefined),
};

function checked(text: string) {
  return check({ entry: "-e", files: new Map([["-e", text]]), oneLiner: true }, TARGET);
}

/** The key's type of the map that a one-liner makes of itself. */
function keyOf(body: string, name = "count") {
  const { module, diagnostics } = checked(`tp("syscalls:sys_enter_openat", ${body})`);
  expect(diagnostics).toEqual([]);
  return module.maps.find((map) => map.name === name)?.key;
}

describe("a one-liner's aggregation has keys of the type of the first", () => {
  it("number, text, address", () => {
    expect(keyOf("count[pid()]++")).toEqual({ kind: "int", bits: 32, signed: false });
    expect(keyOf("count[comm()]++")).toEqual({ kind: "str", size: 16 });
    expect(keyOf("count[userStr(ctx.filename)]++")).toEqual({ kind: "str", size: 64 });
    expect(keyOf("count[pid() + 1]++")).toEqual({ kind: "int", bits: 64, signed: false });
    expect(keyOf("count[pid() === 1]++")).toEqual({ kind: "bool" });
  });

  it("several", () => {
    expect(keyOf("count[comm(), pid()]++")).toMatchObject({
      kind: "struct",
      size: 20,
      fields: [
        { name: "comm", offset: 0 },
        { name: "pid", offset: 16 },
      ],
    });
  });

  it("of histograms with the bucket behind", () => {
    expect(keyOf("hist[uid()](ctx.mode)", "hist")).toMatchObject({
      kind: "struct",
      size: 8,
      fields: [
        { name: "key", type: { bits: 32 } },
        { name: "bucket", offset: 4 },
      ],
    });
    expect(keyOf("hist(ctx.mode)", "hist")).toMatchObject({ size: 4, fields: [{ name: "bucket" }] });
  });

  it("and no other afterwards", () => {
    const { diagnostics } = checked(
      'tp("syscalls:sys_enter_openat", () => { count[comm()]++; count[pid()]++; }); tp("syscalls:sys_enter_openat", count[ctx.nothing]++)',
    );
    expect(diagnostics.map(({ code }) => code)).toEqual(["TS2345", "TS2339"]);
  });

  it("where the first is wrong there is none", () => {
    const { module, diagnostics } = checked('tp("syscalls:sys_enter_openat", count[nothing]++)');
    expect(diagnostics.map(({ code }) => code)).toEqual(["TS2304"]);
    expect(module.maps).toEqual([]);
  });
});

it("a one-liner prints", () => {
  const { module, diagnostics } = checked('tp("syscalls:sys_enter_openat", print("file", userStr(ctx.filename)))');
  expect(diagnostics).toEqual([]);
  expect(module.prints).toMatchObject([{ texts: ["file ", ""] }]);
  expect(module.functions).toMatchObject([{ name: "tracepoint1", exported: true }]);
});

it("a module is taken as it is", () => {
  const { diagnostics } = check({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", "count[pid()]++"]]) }, TARGET);
  expect(diagnostics.map(({ code }) => code)).toEqual(["EB1018"]);
});
