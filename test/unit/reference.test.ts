// The generator of docs/reference, on a small package of declarations: what stands on which page, what is linked, and that it
// refuses exports that say nothing of themselves and pages that are out of date.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../scripts/reference.js", import.meta.url));

const FILES = {
  "package.json": JSON.stringify({
    name: "hive",
    type: "module",
    exports: {
      ".": { types: "./dist/sdk/index.d.ts" },
      "./wax": { types: "./dist/wax/index.d.ts" },
      "./package.json": "./package.json",
    },
  }),
  "declarations/sdk/index.d.ts": `/** All of the hive. */
export { Bee, type BeeOptions, hatch, hatch as born, SIZES } from "../runtime/map/bee.js";
export type { Cell } from "../wax/cell.js";
`,
  "declarations/runtime/map/bee.d.ts": `import type { Cell } from "../../wax/cell.js";
/** What this file is about, which is nobody's comment. */
/** How a bee is hatched. */
export interface BeeOptions {
    /** In a \`Cell\`, with *stars* and <tags>. */
    readonly cell?: Cell;
}
/**
 * A bee. It is made by \`hatch()\`, not by hand: e.g. never.
 *
 * Throws nothing.
 */
export declare class Bee {
    #private;
    private secret;
    protected half(): void;
    constructor(cell: Cell);
    /** Flies so many metres of the \`Cell.size\` | away. */
    fly(metres: number, options?: {
        readonly high?: boolean;
    }): Bee;
    close(): void;
    [Symbol.dispose](): void;
}
/** Hatches one. */
export declare function hatch(options?: BeeOptions): Bee;
/** Millimetres. */
export declare const SIZES: {
    readonly queen: 20;
};
`,
  "declarations/wax/index.d.ts": `/**
 * Wax alone.
 *
 * @module
 */
export * from "./cell.js";
`,
  "declarations/wax/cell.d.ts": `/** Six walls. */
export type Cell = {
    readonly size: number;
};
`,
} as const;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "skep-reference-"));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function generate(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const own = ["--root", root, "--declarations", join(root, "declarations")];
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...own, ...args], { encoding: "utf8" });
  // The compiler's own process may say so when it is ended.
  return { status, stdout, stderr: stderr.replace(/^context canceled\n/gm, "") };
}

const page = (name: string) => readFileSync(join(root, "docs/reference", name), "utf8");

it("writes a page for each topic, with signatures, members, links and the comments' text", { timeout: 60_000 }, () => {
  expect(generate()).toMatchObject({
    status: 0,
    stderr: "",
    stdout: "docs/reference: 5 exports on 3 pages, 3 changed\n",
  });
  expect(page("README.md")).toContain(
    "## `hive`\n\nAll of the hive.\n\n- [`hive`](hive.md): 1 exports\n- [Maps](maps.md): 4 exports\n",
  );
  expect(page("README.md")).toContain("## `hive/wax`\n\nWax alone.\n\n- [`hive`](hive.md): 1 exports\n");
  const maps = page("maps.md");
  expect(maps).toContain(
    "| [`Bee`](#bee) | class | A bee. |\n| [`BeeOptions`](#beeoptions) | interface | How a bee is hatched. |",
  );
  expect(maps).toContain(`### \`Bee\`

Class of \`hive\`.

\`\`\`ts
class Bee
\`\`\`

A bee. It is made by \`hatch()\`, not by hand: e.g. never.

Throws nothing.

- \`fly(metres: number, options?: { readonly high?: boolean; }): Bee\`: Flies so many metres of the [\`Cell.size\`](hive.md#cell) | away.
- \`close(): void\`
- \`[Symbol.dispose](): void\`

Named here: [\`Cell\`](hive.md#cell).
`);
  expect(maps).toContain("- `readonly cell?: Cell`: In a [`Cell`](hive.md#cell), with \\*stars\\* and \\<tags>.");
  // A thing that has two names stands there once.
  expect(maps).toContain(
    "Function of `hive` and `hive` (as `born`).\n\n```ts\nfunction hatch(options?: BeeOptions): Bee\n```",
  );
  expect(maps).toContain("const SIZES: {\n  readonly queen: 20;\n}");
  expect(maps).not.toContain("nobody's comment");
  expect(page("hive.md")).toContain("Type of `hive` and `hive/wax`.");
});

it("fails for pages that are out of date, and says how to mend that", { timeout: 60_000 }, () => {
  expect(generate("--check")).toMatchObject({ status: 1 });
  expect(existsSync(join(root, "docs"))).toBe(false);
  generate();
  expect(generate("--check")).toMatchObject({ status: 0, stdout: "", stderr: "" });
  appendFileSync(join(root, "docs/reference/maps.md"), "By hand.\n");
  writeFileSync(join(root, "docs/reference/gone.md"), "");
  const { status, stderr } = generate("--check");
  expect(status).toBe(1);
  expect(stderr).toBe(
    "docs/reference is out of date (maps.md, gone.md): run npm run reference and commit what it writes\n",
  );
  expect(generate().stdout).toBe("docs/reference: 5 exports on 3 pages, 2 changed\n");
  expect(existsSync(join(root, "docs/reference/gone.md"))).toBe(false);
});

it("fails for an export or a function of one that has no doc comment", { timeout: 60_000 }, () => {
  appendFileSync(
    join(root, "declarations/wax/cell.d.ts"),
    `export declare function silent(): void;
/** Its functions say nothing, but for one of two of the same name. */
export interface Half {
    spoken(once: number): void;
    /** Here. */
    spoken(): void;
    mute(): void;
    readonly property: number;
    close(): void;
}
`,
  );
  const { status, stderr } = generate();
  expect(status).toBe(1);
  expect(stderr.match(/^src\/wax\/cell\.ts: \S+/gm)).toEqual(["src/wax/cell.ts: silent", "src/wax/cell.ts: Half.mute"]);
});

it("says which declarations are not there", { timeout: 60_000 }, () => {
  rmSync(join(root, "declarations/wax"), { recursive: true });
  const { status, stderr } = generate();
  expect(status).toBe(1);
  expect(stderr).toContain("hive/wax has no declarations: ");
});
