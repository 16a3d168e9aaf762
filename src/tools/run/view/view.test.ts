import { describe, expect, it } from "vitest";
import { DUMPS as COMPILER_DUMPS } from "../../../language/compiler/index.ts";
import { BytesCodec, str, struct, u32 } from "../../../object/codec/index.ts";
import { lineOf } from "../../../sdk/kernel-typescript/live-prints.ts";
import { DUMPS } from "../compilation.ts";
import { EventColumns } from "./event-columns.ts";
import { type Bucket, drawHistogram, quantile } from "./histogram.ts";
import { boundText, grouped } from "./number.ts";
import { programText } from "./program-text.ts";
import { drawRows } from "./rows.ts";
import { cellText } from "./text.ts";
import { timingsText } from "./timings-text.ts";

const powers = (counts: readonly number[], from = 0): Bucket[] =>
  counts.map((count, i) => ({ low: 1n << BigInt(i + from), high: 2n << BigInt(i + from), count }));

describe("a histogram", () => {
  it("is drawn with bars, parts and quantiles; long gaps are left out", () => {
    const buckets: Bucket[] = [
      { low: 0n, high: 1n, count: 0 },
      ...powers([3, 0, 0, 0, 0, 0, 0, 0, 0, 120, 40, 0, 1, 0]),
    ];
    expect(drawHistogram(buckets)).toBe(`  count 164, p50 ~846, p90 ~1,651, p99 ~2,035
  [1]           3   1.8%  |@                                       |
  ...
  [512, 1K)   120  73.2%  |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
  [1K, 2K)     40  24.4%  |@@@@@@@@@@@@@                           |
  [2K, 4K)      0   0.0%  |                                        |
  [4K, 8K)      1   0.6%  |@                                       |`);
  });

  it("says so when nothing was recorded", () => {
    expect(drawHistogram([])).toBe("  nothing was recorded");
    expect(drawHistogram(powers([0, 0]))).toBe("  nothing was recorded");
  });

  it("with steps has room for what lies below and above", () => {
    const buckets: Bucket[] = [
      { high: 0n, count: 1 },
      { low: 0n, high: 50n, count: 2 },
      { low: 50n, high: 100n, count: 0 },
      { low: 100n, count: 1000 },
    ];
    expect(drawHistogram(buckets, "")).toBe(`count 1,003, p50 ~100, p90 ~100, p99 ~100
(..., 0)        1   0.1%  |@                                       |
[0, 50)         2   0.2%  |@                                       |
[50, 100)       0   0.0%  |                                        |
[100, ...)  1,000  99.7%  |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|`);
  });

  it("tells quantiles as near as its buckets do", () => {
    expect(quantile([], 0.5)).toBeUndefined();
    expect(quantile([{ low: 7n, high: 8n, count: 3 }], 0.5)).toEqual({ value: 7n, exact: true });
    expect(quantile([{ low: 0n, high: 100n, count: 100 }], 0.5)).toEqual({ value: 49n, exact: false });
    expect(quantile([{ high: 0n, count: 5 }], 0.9)).toEqual({ value: 0n, exact: false });
    const wide = [{ low: 1n << 62n, high: 1n << 63n, count: 1 }];
    expect(quantile(wide, 1)?.value).toBeLessThan(1n << 63n);
  });
});

describe("rows", () => {
  it("come with the greatest first, in columns, with their part of the whole", () => {
    const rows = [
      { key: { comm: "sh", pid: 7 }, value: 12 },
      { key: { comm: "node\n", pid: 12345 }, value: 1200n },
      { key: { comm: "", pid: 1 }, value: 0 },
    ];
    expect(drawRows(rows, { heading: "count", most: 2, bars: true })).toBe(`  comm      pid  count
  node\\n  12345  1,200  99.0%  |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
  sh          7     12   1.0%  |@                             |
  ... and 1 more`);
  });

  it("stand in columns also with characters that take two", () => {
    const rows = [
      { key: { comm: "漢字", pid: 1 }, value: 2 },
      { key: { comm: "abc", pid: 2 }, value: 1 },
    ];
    expect(drawRows(rows, { heading: "sum", most: 9, bars: false })).toBe(`  comm  pid  sum
  漢字    1    2
  abc     2    1`);
  });

  it("without a key are one number", () => {
    expect(drawRows([{ key: undefined, value: 1234567 }], { heading: "count", most: 9, bars: true })).toBe(
      "  1,234,567",
    );
    expect(drawRows([], { heading: "count", most: 9, bars: true })).toBe("  nothing was recorded");
  });

  it("that may be negative have no bars", () => {
    const rows = [
      { key: 1, value: -5 },
      { key: 2, value: 2.345 },
    ];
    expect(drawRows(rows, { heading: "avg", most: 9, bars: true })).toBe(`      avg
  2  2.35
  1    -5`);
  });
});

describe("events", () => {
  it("stand in columns under their fields' names", () => {
    const columns = new EventColumns([
      { name: "pid", width: 7 },
      { name: "comm", width: 8 },
      { name: "file", width: 4 },
    ]);
    const lines = [
      { pid: 7, comm: "sh", file: "/etc/passwd" },
      { pid: 123456, comm: "a-long-name", file: "x\x1b[31m" },
      { pid: 8, comm: "sh", file: "y" },
    ].flatMap((event) => columns.lines(event));
    expect(lines.join("\n")).toBe(`    pid  comm      file
      7  sh        /etc/passwd
 123456  a-long-name  x\\x1b[31m
      8  sh           y`);
    columns.interrupt();
    expect(columns.lines({ pid: 1, comm: "init", file: "" })[0]).toMatch(/^ +pid {2}comm/);
  });
});

it("a printed line is made of texts and values", () => {
  const record = struct({ site: u32, pid: u32, file: str(8) });
  const bytes = new BytesCodec(record).encode({ site: 0, pid: 7, file: "a\nb" });
  expect(lineOf({ texts: ["pid ", " opened ", ""], record }, cellText)(bytes)).toBe("pid 7 opened a\\nb");
  expect(lineOf({ texts: ["hello"], record: struct({ site: u32 }) }, cellText)(bytes)).toBe("hello");
});

it("numbers and values are written for people", () => {
  expect([0n, 1n, 1023n, 1024n, 1536n, 3n << 20n, -2048n, 1n << 63n].map(boundText)).toEqual([
    "0",
    "1",
    "1023",
    "1K",
    "1536",
    "3M",
    "-2K",
    "8E",
  ]);
  expect([grouped(1234), grouped(-1234567n), grouped(0.5), grouped(999)]).toEqual([
    "1,234",
    "-1,234,567",
    "0.5",
    "999",
  ]);
  expect(cellText({ a: [1, 2n], b: new Uint8Array([1, 255]), c: "\u202e", d: true })).toBe(
    "{a: [1 2], b: 01ff, c: \\u202e, d: true}",
  );
});

it("a program is listed under the lines it comes from, numbered as the verifier numbers it", () => {
  const source = (line: number, text: string) => ({ file: "/a/b/hello.bpf.ts", line, column: 3, text: `  ${text}` });
  const plain = { dst: 0, src: 0, offset: 0, imm: 0 };
  const text = programText("onOpen", {
    type: "tracepoint",
    section: "tracepoint/syscalls/sys_enter_openat",
    license: "GPL",
    instructions: [
      { ...plain, opcode: 0xb7, label: "onOpen", functionType: 3, source: source(6, "opens.inc(comm());") },
      { ...plain, opcode: 0x18, dst: 1, src: 1, map: "opens" },
      { ...plain, opcode: 0x85, src: 1, imm: -1, target: "twice" },
      { ...plain, opcode: 0x05, target: "end" },
      { ...plain, opcode: 0x95, label: "end", source: source(7, "});") },
      { ...plain, opcode: 0xb7, label: "twice", functionType: 4, imm: 2 },
      { ...plain, opcode: 0x95 },
    ],
  });
  expect(text).toBe(`onOpen  tracepoint/syscalls/sys_enter_openat  7 instructions
; hello.bpf.ts:6:3  opens.inc(comm());
  0: r0 = 0
  1: r1 = map["opens"] ll
  3: call pc+2 <twice>
  4: goto +0 <end>
  end:
; hello.bpf.ts:7:3  });
  5: exit

twice()
  6: r0 = 2
  7: exit`);
});

it("the compiler's passes are shown with what each took of the whole", () => {
  expect(
    timingsText([
      { pass: "parse", ms: 0.25 },
      { pass: "check", ms: 0.75 },
    ]),
  ).toBe(`parse     0.250 ms   25%
check     0.750 ms   75%
together  1.000 ms  100%`);
  expect(timingsText([])).toBe("together  0.000 ms");
});

it("the names of dumps are the compiler's", () => {
  expect(DUMPS).toEqual(COMPILER_DUMPS);
});
