import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { VMLINUX } from "../../../../test/support/btf-types.ts";
import { parseElf } from "../../elf/index.ts";
import { readObject } from "../../spec/index.ts";
import { Btf } from "../btf.ts";
import { BtfBuilder } from "../builder.ts";
import type { BtfType, IntType, Member, StructType } from "../type.ts";
import { CNames } from "./c-names.ts";
import { printC } from "./print-c.ts";

const targets = spawnSync("clang", ["--print-targets"], { encoding: "utf8" });
const clang = targets.status === 0 && targets.stdout.includes("bpf");

const int = (name: string, size: number): IntType => {
  return { kind: "int", name, size, bits: size * 8, bitOffset: 0, signed: true, char: false, bool: false };
};
const CHAR = int("char", 1);
const INT = int("int", 4);
const LONG = int("long", 8);
const member = (name: string, type: number, bitOffset: number, bitSize = 0): Member => ({
  name,
  type,
  bitOffset,
  bitSize,
});
const struct = (name: string, size: number, ...members: readonly Member[]): StructType => ({
  kind: "struct",
  name,
  size,
  members,
});
const union = (name: string, size: number, ...members: readonly Member[]): StructType => ({
  kind: "union",
  name,
  size,
  members,
});
const build = (...all: readonly BtfType[]): Btf => {
  const builder = new BtfBuilder();
  for (const type of all) builder.add(type);
  return Btf.parse(builder.build());
};

/** The BTF that clang gives the C; every named struct and typedef is used, for clang leaves out what is not. */
function compiled(btf: Btf): Btf {
  const names = CNames.of(btf);
  const uses: string[] = [];
  for (let id = 1; id < btf.endId; id++) {
    const type = btf.type(id);
    const target = type.kind === "typedef" ? btf.type(btf.resolve(id)) : type;
    if (type.name === "" || (target.kind !== "struct" && target.kind !== "union")) continue;
    // By value: of what it has seen behind a pointer first, clang may write a declaration.
    uses.push(`${type.kind === "typedef" ? "" : `${type.kind} `}${names.name(id)} use_${id};`);
  }
  const directory = mkdtempSync(join(tmpdir(), "skep-print-c-"));
  try {
    const source = join(directory, "types.c");
    const object = join(directory, "types.o");
    writeFileSync(source, `${printC(btf)}\n${uses.join("\n")}\n`);
    const run = spawnSync("clang", ["-target", "bpf", "-g", "-Werror", "-c", source, "-o", object], {
      encoding: "utf8",
    });
    expect(run.stderr.slice(0, 2000)).toBe("");
    const section = parseElf(new Uint8Array(readFileSync(object))).sections.find(({ name }) => name === ".BTF");
    return Btf.parse(section?.data ?? new Uint8Array(0));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Where members are, those of unnamed structs among them. */
function placesOf(btf: Btf, type: StructType): readonly string[] {
  return type.members.flatMap((one) => {
    const id = btf.resolve(one.type);
    const inner = btf.type(id);
    const place = `${one.name} ${one.bitOffset}:${one.bitSize}`;
    if ((inner.kind !== "struct" && inner.kind !== "union") || inner.name !== "") return [place];
    return [`${place} ${inner.kind} of ${inner.size}`, ...placesOf(btf, inner)];
  });
}

/** How many structs were compared. */
function compare(btf: Btf): number {
  const names = CNames.of(btf);
  const result = compiled(btf);
  const found = new Map<string, StructType>();
  for (let id = 1; id < result.endId; id++) {
    const type = result.type(id);
    if (type.kind === "struct" || type.kind === "union") found.set(`${type.kind} ${type.name}`, type);
    if (type.kind !== "typedef") continue;
    const target = result.type(result.resolve(id));
    if (target.kind === "struct" || target.kind === "union") found.set(`typedef ${type.name}`, target);
  }
  const faults: unknown[] = [];
  let compared = 0;
  for (let id = 1; id < btf.endId; id++) {
    const type = btf.type(id);
    const target = type.kind === "typedef" ? btf.type(btf.resolve(id)) : type;
    if (type.name === "" || (target.kind !== "struct" && target.kind !== "union")) continue;
    compared++;
    const copy = found.get(`${type.kind} ${names.name(id)}`);
    const want = [`size ${target.size}`, ...placesOf(btf, target)].join("\n");
    const have = copy === undefined ? "nothing" : [`size ${copy.size}`, ...placesOf(result, copy)].join("\n");
    if (want !== have) faults.push({ id, name: type.name, want, have });
  }
  expect(faults.slice(0, 5)).toEqual([]);
  return compared;
}

describe("C", () => {
  it("has declarations before pointers, and definitions before members", () => {
    const btf = build(
      struct("outer", 16, member("inner", 2, 0), member("next", 3, 64)),
      struct("inner", 8, member("back", 3, 0)),
      { kind: "pointer", name: "", type: 4 },
      { kind: "typedef", name: "outer_t", type: 1 },
    );
    expect(printC(btf)).toBe(
      [
        "struct outer;\n",
        "typedef struct outer outer_t;\n",
        "struct inner {\n\touter_t *back;\n};\n",
        "struct outer {\n\tstruct inner inner;\n\touter_t *next;\n};\n",
      ].join("\n"),
    );
    expect(printC(btf, [3])).toBe("struct outer;\n\ntypedef struct outer outer_t;\n");
  });

  it("has flavours for names that stand twice, and none of C's words", () => {
    const btf = build(
      INT,
      struct("s", 4, member("int", 1, 0)),
      struct("s", 0),
      struct("s___2", 0),
      { kind: "forward", name: "s", union: false },
      { kind: "typedef", name: "while", type: 5 },
      {
        kind: "enum",
        name: "",
        size: 4,
        signed: true,
        values: [
          { name: "A", value: -1 },
          { name: "s", value: 2 },
        ],
      },
      { kind: "enum", name: "e", size: 1, signed: false, values: [{ name: "A", value: 3 }] },
    );
    const text = printC(btf);
    expect(text).toContain("struct s {\n\tint int_;\n};");
    expect(text).toContain("struct s___3 {\n};");
    expect(text).toContain("struct s___2 {\n};");
    expect(text).toContain("typedef struct s while___2;");
    expect(text).toContain("enum {\n\tA = -1,\n\ts = 2,\n};");
    expect(text).toContain("enum e {\n\tA___2 = 3,\n} __attribute__((mode(QI)));");
  });

  it("says where C cannot lay out a struct, and refuses one that holds itself", () => {
    const overlap = build(INT, struct("s", 4, member("a", 1, 0), member("b", 1, 16)));
    expect(printC(overlap)).toContain("unsigned char bytes[4];");
    expect(() => printC(build(struct("s", 4, member("s", 1, 0))))).toThrow(/holds itself/);
    const chain = Array.from({ length: 5000 }, (_, i) => struct(`s${i}`, 4, member("m", i + 2, 0)));
    expect(() => printC(build(...chain, INT))).toThrow(/types deep/);
  });
});

describe.skipIf(!clang)("C that clang has compiled (skipped without a clang for eBPF)", () => {
  it("has members where BTF has them, whatever attributes that takes", () => {
    const btf = build(
      CHAR,
      INT,
      LONG,
      struct("packed", 9, member("a", 1, 0), member("b", 3, 8)),
      struct("packed_size", 12, member("a", 3, 0), member("b", 2, 64)),
      struct("holds_packed", 24, member("a", 2, 0), member("b", 4, 32), member("c", 3, 128)),
      struct("gap", 32, member("a", 1, 0), member("b", 2, 72 + 24), member("c", 1, 200)),
      struct("large_gap", 192, member("a", 1, 0), member("b", 3, 1024)),
      struct("large", 200, member("a", 1, 0), member("b", 3, 1024)),
      struct(
        "fields",
        16,
        member("a", 2, 0, 3),
        member("b", 2, 5, 7),
        member("c", 2, 32, 32),
        member("d", 3, 64, 40),
        member("e", 1, 104),
      ),
      struct("packed_fields", 6, member("a", 2, 3, 30), member("b", 2, 40, 1)),
      union("larger", 64, member("a", 2, 0), member("b", 3, 0)),
      struct("empty", 0),
      struct("only_padding", 24),
      { kind: "array", name: "", element: 3, index: 2, length: 0 },
      struct("flexible", 8, member("count", 2, 0), member("items", 15, 64)),
      union("", 8, member("x", 2, 0), member("y", 2, 0, 5), member("z", 3, 0)),
      struct("unnamed", 24, member("", 17, 0), member("named", 17, 64), member("pointer", 19, 128)),
      { kind: "pointer", name: "", type: 20 },
      {
        kind: "prototype",
        name: "",
        result: 21,
        parameters: [
          { name: "x", type: 2 },
          { name: "", type: 0 },
        ],
      },
      { kind: "pointer", name: "", type: 18 },
      { kind: "enum64", name: "wide", size: 8, signed: false, values: [{ name: "SMALL", value: 1n }] },
      { kind: "enum64", name: "low", size: 8, signed: true, values: [{ name: "LOWEST", value: -(1n << 63n) }] },
      { kind: "enum", name: "narrow", size: 1, signed: false, values: [{ name: "ONE", value: 1 }] },
      { kind: "enum", name: "two", size: 2, signed: true, values: [{ name: "MINUS", value: -2 }] },
      struct("enums", 24, member("a", 22, 0), member("b", 23, 64), member("c", 24, 128), member("d", 25, 144)),
      union("hidden", 8),
    );
    expect(compare(btf)).toBe(15);
  });

  it("is what it was for objects", () => {
    for (const name of ["core.el", "maps.el"]) {
      const file = fileURLToPath(new URL(`../../../../test/fixtures/objects/${name}.o`, import.meta.url));
      const { btf } = readObject(new Uint8Array(readFileSync(file)));
      if (btf === undefined) throw new Error("no BTF");
      expect(compare(btf)).toBeGreaterThan(2);
    }
  });

  it.skipIf(!existsSync(VMLINUX))(
    `is what it was for ${VMLINUX} (skipped where a kernel has none)`,
    { timeout: 120_000 },
    () => {
      expect(compare(Btf.parse(new Uint8Array(readFileSync(VMLINUX))))).toBeGreaterThan(1000);
    },
  );
});
