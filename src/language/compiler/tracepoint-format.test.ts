import { describe, expect, it } from "vitest";
import { parseTracepointFormat } from "./tracepoint-format.ts";

const COMMON = `	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;
`;

const format = (name: string, ...fields: string[]) =>
  `name: ${name}\nID: 782\nformat:\n${COMMON}\n${fields.map((field) => `\t${field}\n`).join("")}\nprint fmt: "field:%d;", REC->x\n`;

const OPENAT = format(
  "sys_enter_openat",
  "field:int __syscall_nr;	offset:8;	size:4;	signed:1;",
  "field:int dfd;	offset:16;	size:8;	signed:0;",
  "field:const char * filename;	offset:24;	size:8;	signed:0;",
  "field:int flags;	offset:32;	size:8;	signed:0;",
  "field:umode_t mode;	offset:40;	size:8;	signed:0;",
);

const int = (bits: number, signed: boolean) => ({ kind: "int", bits, signed });
const types = (text: string, resolve?: Parameters<typeof parseTracepointFormat>[1]) =>
  Object.fromEntries(parseTracepointFormat(text, resolve).fields.map(({ name, type }) => [name, type]));

describe("parseTracepointFormat", () => {
  it("gives a system call's arguments the width of their types, and its pointers the process's memory", () => {
    const resolve = (name: string) =>
      name === "umode_t" ? ({ kind: "int", bits: 16, signed: false } as const) : undefined;
    expect(parseTracepointFormat(OPENAT, resolve)).toEqual({
      name: "sys_enter_openat",
      size: 48,
      fields: [
        { name: "__syscall_nr", offset: 8, size: 4, type: int(32, true), declared: "int" },
        { name: "dfd", offset: 16, size: 4, type: int(32, true), declared: "int" },
        {
          name: "filename",
          offset: 24,
          size: 8,
          type: { kind: "userPointer", to: "const char" },
          declared: "const char *",
        },
        { name: "flags", offset: 32, size: 4, type: int(32, true), declared: "int" },
        { name: "mode", offset: 40, size: 2, type: int(16, false), declared: "umode_t" },
      ],
    });
  });

  it("takes the whole register where nothing is known of a type", () => {
    const { fields } = parseTracepointFormat(OPENAT);
    expect(fields.at(-1)).toEqual({ name: "mode", offset: 40, size: 8, type: int(64, false), declared: "umode_t" });
  });

  it("knows texts, arrays, kernel pointers and what stands behind the record", () => {
    expect(
      types(
        format(
          "block_rq_issue",
          "field:dev_t dev;	offset:8;	size:4;	signed:0;",
          "field:sector_t sector;	offset:16;	size:8;	signed:0;",
          "field:char rwbs[10];	offset:34;	size:10;	signed:0;",
          "field:__data_loc char[] cmd;	offset:60;	size:4;	signed:0;",
          "field:__data_loc u64[] ids;	offset:64;	size:4;	signed:0;",
          "field:__rel_loc char[] rel;	offset:68;	size:4;	signed:0;",
          "field:unsigned long args[6];	offset:72;	size:48;	signed:0;",
          "field:__u8 saddr_v6[16];	offset:120;	size:16;	signed:0;",
          "field:const struct mm_struct * mm;	offset:136;	size:8;	signed:0;",
          "field:void * skbaddr;	offset:144;	size:8;	signed:0;",
          "field:bool was_armed;	offset:152;	size:1;	signed:0;",
          "field:enum hrtimer_mode mode;	offset:156;	size:4;	signed:0;",
          "field:s64 expires;	offset:160;	size:8;	signed:1;",
          "field:struct timespec ts;	offset:168;	size:16;	signed:0;",
          "field:char small;	offset:184;	size:1;	signed:1;",
        ),
      ),
    ).toEqual({
      dev: int(32, false),
      sector: int(64, false),
      rwbs: { kind: "text", size: 10 },
      cmd: { kind: "located", element: "text", relative: false },
      ids: { kind: "located", element: int(64, false), relative: false },
      rel: { kind: "located", element: "text", relative: true },
      args: { kind: "array", element: int(64, false), length: 6 },
      saddr_v6: { kind: "array", element: int(8, false), length: 16 },
      mm: { kind: "kernelPointer", to: "const struct mm_struct", struct: "mm_struct" },
      skbaddr: { kind: "kernelPointer", to: "void" },
      was_armed: { kind: "bool" },
      mode: int(32, false),
      expires: int(64, true),
      ts: { kind: "bytes", size: 16 },
      small: int(8, true),
    });
  });

  it("tells system calls by their number: elsewhere the size in the file counts", () => {
    expect(
      types(
        format(
          "x",
          "field:int wide;	offset:8;	size:8;	signed:0;",
          "field:char __user * at;	offset:16;	size:8;	signed:0;",
        ),
      ),
    ).toEqual({ wide: int(64, false), at: { kind: "userPointer", to: "char" } });
  });

  it("reads C's words in any order", () => {
    const words = [
      "unsigned",
      "unsigned int",
      "long unsigned int",
      "short int",
      "long long",
      "unsigned char",
      "const int",
    ];
    const fields = words.map((word, i) => `field:${word} f${i};	offset:${8 + 8 * i};	size:8;	signed:0;`);
    const text = format("sys_enter_x", "field:int __syscall_nr;	offset:8;	size:4;	signed:1;", ...fields);
    expect(Object.values(types(text)).slice(1)).toEqual([
      int(32, false),
      int(32, false),
      int(64, false),
      int(16, true),
      int(64, true),
      int(8, false),
      int(32, true),
    ]);
  });

  it("makes the best of what is no format", () => {
    expect(parseTracepointFormat("")).toEqual({ name: "", fields: [], size: 0 });
    expect(parseTracepointFormat("name: x\nfield:;offset:;size:;\nfield:int a; offset:8;").fields).toEqual([]);
    expect(
      types(
        format("x", "field:int a[3];	offset:8;	size:7;	signed:1;", "field:u8 b[];	offset:16;	size:0;	signed:0;"),
      ),
    ).toEqual({
      a: { kind: "bytes", size: 7 },
      b: { kind: "bytes", size: 0 },
    });
  });
});
