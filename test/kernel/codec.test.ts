// Layouts against a C compiler, and codecs where Node forbids code made from text.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import type { StructLayout } from "../../src/object/codec/index.ts";
import { run, Scratch } from "../support/cli.ts";
import { layoutOf, type Model, modelArbitrary } from "../support/codec-model.ts";
import { hostTest } from "../support/kernel-test.ts";

const C_TYPES: Readonly<Record<string, string>> = {
  u8: "unsigned char",
  i8: "signed char",
  bool: "_Bool",
  u16: "unsigned short",
  i16: "short",
  u32: "unsigned int",
  i32: "int",
  u64: "unsigned long long",
  i64: "long long",
  u64n: "unsigned long long",
  i64n: "long long",
  be16: "unsigned short",
  be32: "unsigned int",
  be64: "unsigned long long",
  bytes: "unsigned char",
  str: "char",
};

/** `type name[3][2]` for a model; fields are named by their place, because names in C are not those of JavaScript. */
function declare(model: Model, name: string): string {
  switch (model.kind) {
    case "array":
      return declare(model.element, `${name}[${model.length}]`);
    case "bytes":
    case "str":
      return `${C_TYPES[model.kind]} ${name}[${model.length}]`;
    case "struct":
      return `struct { ${model.fields.map(([, field], i) => `${declare(field, `f${i}`)};`).join(" ")} } ${name}`;
    default:
      return `${C_TYPES[model.kind]} ${name}`;
  }
}

hostTest("layouts have the sizes and places a C compiler gives them", { command: "cc" }, () => {
  using scratch = new Scratch();
  const structs = fc
    .sample(modelArbitrary, { numRuns: 600, seed: 7 })
    .filter((model): model is Extract<Model, { kind: "struct" }> => model.kind === "struct");
  assert.ok(structs.length > 50, String(structs.length));
  const source = [
    "#include <stdio.h>",
    "#include <stddef.h>",
    ...structs.map((model, i) => `typedef ${declare(model, `t${i}`)};`),
    "int main(void) {",
    ...structs.map(({ fields }, i) => {
      const places = fields.map((_, f) => `printf(" %zu", offsetof(t${i}, f${f}));`).join("");
      return `printf("%zu %zu", sizeof(t${i}), _Alignof(t${i})); ${places} puts("");`;
    }),
    "return 0; }",
  ];
  writeFileSync(scratch.file("layout.c"), source.join("\n"));
  execFileSync("cc", ["-w", "-o", scratch.file("layout"), scratch.file("layout.c")]);
  const lines = execFileSync(scratch.file("layout"), { encoding: "utf8" }).trimEnd().split("\n");
  structs.forEach((model, i) => {
    const layout = layoutOf(model) as StructLayout;
    const ours = [layout.size, layout.align, ...layout.fields.map(({ offset }) => offset)];
    assert.equal(ours.join(" "), lines[i], declare(model, "s"));
  });
});

hostTest("codecs do without generated code where Node forbids it", async () => {
  const child = new URL("../children/codec-no-eval.js", import.meta.url).pathname;
  const { code, stdout, stderr } = await run([process.execPath, "--disallow-code-generation-from-strings", child]);
  assert.deepEqual([code, stdout], [0, "done\n"], stderr);
});
