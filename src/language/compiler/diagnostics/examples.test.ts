import { describe, expect, it } from "vitest";
import { ALL_FEATURES } from "../../../../test/support/recorded-target.ts";
import { compile } from "../compile.ts";
import type { Target } from "../target.ts";
import { PAGES, render } from "./index.ts";

/** What the tracepoints of the examples have, as their format files of Linux 6.18 say it. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  sys_enter_openat: ["int dfd", "const char * filename", "int flags", "umode_t mode"],
  sys_exit_openat: ["long ret"],
};

const TARGET: Target = {
  arch: "x64",
  byteOrder: "little",
  btf: undefined,
  release: "6.18.44",
  cpus: 2,
  features: ALL_FEATURES,
  hasHelper: () => true,
  tracepointFormat(category, name) {
    const fields = category === "syscalls" ? FIELDS[name] : undefined;
    if (fields === undefined) return undefined;
    const lines = ["int __syscall_nr", ...fields].map(
      (field, i) =>
        `\tfield:${field};\toffset:${8 + 8 * i};\tsize:${i === 0 ? 4 : 8};\tsigned:${/long|nr/.test(field) ? 1 : 0};`,
    );
    const common = "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;";
    return [`name: ${name}`, "ID: 7", "format:", common, "", ...lines, "", 'print fmt: ""', ""].join("\n");
  },
};

function checked(text: string) {
  const name = "example.bpf.ts";
  const { diagnostics } = compile({ entry: name, files: new Map([[name, text]]) }, TARGET, { paranoid: true });
  return { codes: [...new Set(diagnostics.map(({ code }) => code))], text: render(diagnostics, [{ name, text }]) };
}

describe("what a page shows", () => {
  for (const [code, { bad, good }] of Object.entries(PAGES)) {
    if (bad !== undefined)
      it(`as wrong gets ${code}`, () => {
        const { codes, text } = checked(bad);
        expect(codes, text).toContain(code);
      });
    if (good !== undefined)
      it(`as right instead of ${code} is right`, () => {
        const { text } = checked(good);
        expect(text).toBe("");
      });
  }
});
