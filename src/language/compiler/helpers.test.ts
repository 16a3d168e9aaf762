import { expect, it } from "vitest";
import { withWords } from "../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../test/support/recorded-target.ts";
import { type HelperName, helperSince } from "../../object/asm/index.ts";
import { compile } from "./compile.ts";
import type { Target } from "./target.ts";

const newerThan510 = (name: HelperName) => ["5.11", "5.15", "5.17"].includes(helperSince(name) ?? "");
const OLD = {
  ...recordedTarget(),
  release: "5.10.0-33-cloud-amd64",
  hasHelper: (name: HelperName) => !newerThan510(name),
};
const said = (text: string, target: Target = OLD) => {
  const source = withWords(text);
  const { diagnostics } = compile({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", source]]) }, target);
  return diagnostics.map(({ code, message, span }) => [code, message, source.slice(span.start, span.end)]);
};
const tooNew = (helper: string, since: string, at: string) => [
  "EB4201",
  `This calls \`bpf_${helper}\`, which Linux ${since} is the first to have; this is compiled for 5.10.0-33-cloud-amd64.`,
  at,
];

it("a helper that the kernel has not yet is named, with the first kernel that has it", () => {
  expect(said('export const p = kprobe("vfs_read", () => u32(funcIp()));')).toEqual([
    tooNew("get_func_ip", "5.15", "funcIp()"),
  ]);
  expect(said('export const p = uprobe("a", "b", () => u32(cookie()));')).toEqual([
    tooNew("get_attach_cookie", "5.15", "cookie()"),
  ]);
  const storage =
    'const s = taskStorage(u64); export const p = tpBtf("sys_enter", () => { const c = s.getOrInsert(task()); if (c) c.add(1); });';
  expect(said(storage).map(([code, message]) => `${code} ${message}`)).toEqual([
    expect.stringContaining("EB4201 This calls `bpf_get_current_task_btf`, which Linux 5.11"),
    expect.stringContaining("EB4201 This calls `bpf_task_storage_get`, which Linux 5.11"),
  ]);
});

it("one that every kernel has is not asked for", () => {
  const asked: string[] = [];
  const target = { ...OLD, hasHelper: (name: HelperName) => asked.push(name) < 0 };
  expect(
    said(
      'const r = ringbuf(struct({ a: u64 })); export const p = rawTracepoint("sys_enter", () => { r.emit({ a: ktimeBoot() + jiffies() }); });',
      target,
    ),
  ).toEqual([]);
  expect(asked).toEqual([]);
});

it("one that the kernel has for other programs is said to be for others", () => {
  const target = {
    ...OLD,
    release: "6.1.0",
    hasHelper: (name: HelperName, type: string) => type !== "xdp" || !newerThan510(name),
  };
  expect(
    said(
      "export const p = xdp(() => (cookie() === 1 ? XDP.PASS : XDP.DROP));"
        .replaceAll("XDP.PASS", "2")
        .replaceAll("XDP.DROP", "1"),
      target,
    ),
  ).toEqual([
    ["EB4203", "This calls `bpf_get_attach_cookie`, which programs of type xdp may not; `p` is one.", "cookie()"],
  ]);
  expect(said('export const p = uprobe("a", "b", () => u32(cookie()));', target)).toEqual([]);
});
