// The declarations of kernel TypeScript against tsc itself: every program of test/kernel-typescript/positive is taken, every
// line of test/kernel-typescript/negative that says so is refused, and for the reason that it says.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { check } from "../../src/language/compiler/check/check.ts";
import { recordedTarget } from "../support/recorded-target.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "test/kernel-typescript");

function tsc(project: string, ...options: readonly string[]): string {
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", project, ...options],
    {
      encoding: "utf8",
      cwd: root,
    },
  );
  return stdout;
}

it("tsc takes what is right and refuses what is marked as wrong", { timeout: 60_000 }, () => {
  expect(tsc(join(folder, "tsconfig.json"))).toBe("");
  expect(tsc(join(folder, "tsconfig.json"), "--exactOptionalPropertyTypes")).toBe("");
  expect(tsc(join(folder, "tsconfig.json"), "--noUncheckedIndexedAccess", "false")).toBe("");
  expect(tsc(join(folder, "user/tsconfig.json"))).toBe("");
});

it("tsc refuses each marked line by the code that its mark names", { timeout: 60_000 }, () => {
  const copy = mkdtempSync(join(tmpdir(), "skep-negative-"));
  try {
    cpSync(folder, copy, { recursive: true });
    const expected: string[] = [];
    for (const file of readdirSync(join(copy, "negative"))) {
      const path = join(copy, "negative", file);
      const lines = readFileSync(path, "utf8").split("\n");
      for (const [i, line] of lines.entries()) {
        const code = /@ts-expect-error (TS\d+): \S/.exec(line)?.[1];
        if (code !== undefined) expected.push(`${file}:${i + 2} ${code}`);
        else expect(line).not.toContain("@ts-expect-error");
      }
      writeFileSync(path, lines.join("\n").replaceAll("@ts-expect-error", ""));
    }
    writeFileSync(join(copy, "package.json"), '{ "type": "module" }\n');
    const config = readFileSync(join(copy, "tsconfig.json"), "utf8").replaceAll("../..", root.replace(/\/$/, ""));
    const types = ["node"].map((name) => join(root, "node_modules/@types", name));
    writeFileSync(
      join(copy, "tsconfig.json"),
      config.replace(/("compilerOptions": \{)/, `$1 "types": ${JSON.stringify(types)},`),
    );
    const found = [...tsc(join(copy, "tsconfig.json")).matchAll(/^(\S+)\((\d+),\d+\): error (TS\d+)/gm)].map(
      ([, file, line, code]) => `${file?.split("/").at(-1)}:${line} ${code}`,
    );
    expect(found.sort()).toEqual(expected.sort());
    expect(expected.length).toBeGreaterThan(80);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

describe("the checker", () => {
  const target = recordedTarget();
  const diagnose = (kind: string, file: string) => {
    const text = readFileSync(join(folder, kind, file), "utf8");
    const { diagnostics } = check({ entry: `/${file}`, files: new Map([[`/${file}`, text]]) }, target);
    return {
      lines: text.split("\n"),
      found: diagnostics.map(({ code, span }) => ({ code, line: lineOf(text, span.start) })),
    };
  };

  it.each(readdirSync(join(folder, "positive")))("takes %s as tsc does", (file) => {
    expect(diagnose("positive", file).found.map(({ code }) => code)).toEqual([]);
  });

  /** Marked lines that tsc refuses and the checker does not see, because the lines before are wrong. */
  const HIDDEN = ["  a = 1;", "  const k = h + 1;"];
  it.each(readdirSync(join(folder, "negative")))("refuses every line of %s that tsc refuses", (file) => {
    const { lines, found } = diagnose("negative", file);
    const refused = new Set(found.map(({ line }) => line));
    const missed = lines.filter(
      (line, i) => (lines[i - 1] ?? "").includes("@ts-expect-error") && !refused.has(i + 1) && !HIDDEN.includes(line),
    );
    expect(missed).toEqual([]);
  });
});

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
