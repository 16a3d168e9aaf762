// The examples as files: short, listed, and with objects and types that are what their sources give. That they run is shown by
// test/kernel/examples.test.ts and examples-network.test.ts.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openObject } from "../../src/sdk/index.ts";
import { compile, generateTypes, interfaceName } from "../../src/tools/object/index.ts";

const folder = fileURLToPath(new URL("../../examples", import.meta.url));
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const files = readdirSync(folder);
const programs = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
const sources = files.filter((file) => file.endsWith(".bpf.c"));
const tested = ["examples", "examples-network"].map((name) =>
  readFileSync(join(folder, "..", "test", "kernel", `${name}.test.ts`), "utf8"),
);

describe.each(programs)("%s", (file) => {
  const name = file.replace(/\.ts$/, "");

  it("is of at most 60 lines, and says what it shows, what it needs and how it is run", () => {
    const lines = read(file).trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(60);
    const top = lines.slice(
      0,
      lines.findIndex((line) => !line.startsWith("//")),
    );
    expect(top.join("\n")).toMatch(/\bLinux \d+\.\d+/);
    expect(top.join("\n")).toMatch(new RegExp(`^//   .*node dist-test/examples/${name}\\.js`, "m"));
  });

  it("is in the list, and run by a test", () => {
    expect(read("README.md")).toContain(`| [${file}](${file})`);
    expect(tested.join("\n")).toContain(`"example ${name}: `);
  });
});

describe.each(sources)("%s", (file) => {
  const object = file.replace(/c$/, "o");

  it("is of at most 60 lines, and in the list", () => {
    expect(read(file).trimEnd().split("\n").length).toBeLessThanOrEqual(60);
    expect(read("README.md")).toContain(`](${file})`);
  });

  it("has the types of its object beside it", () => {
    const types = generateTypes(openObject(join(folder, object)), interfaceName(object), object);
    expect(read(file.replace(/c$/, "d.ts"))).toBe(types);
  });
});

const clang = spawnSync("clang", ["--version"], { encoding: "utf8" }).stdout ?? "";
const libbpf = existsSync("/usr/include/bpf/libbpf_version.h")
  ? readFileSync("/usr/include/bpf/libbpf_version.h", "utf8")
  : "";
/** What the objects were made with: other compilers and headers make others, which are no less right. */
const theSame =
  process.arch === "x64" &&
  clang.includes("clang version 14.") &&
  /MAJOR_VERSION 1\n/.test(libbpf) &&
  /MINOR_VERSION 1\n/.test(libbpf);

describe.runIf(clang !== "" && libbpf !== "" && spawnSync("llvm-strip", ["--version"]).status === 0)(
  "compiled once more",
  () => {
    it.each(sources)("%s makes the same object wherever it lies", (file) => {
      const elsewhere = mkdtempSync(join(tmpdir(), "skep-examples-"));
      try {
        copyFileSync(join(folder, file), join(elsewhere, file));
        const [here, there] = [join(elsewhere, "here.o"), join(elsewhere, "there.o")];
        expect(compile(join(folder, file), { output: here }).warnings).toBe("");
        compile(join(elsewhere, file), { output: there });
        expect(readFileSync(there).equals(readFileSync(here))).toBe(true);
        // What `skep object show -d` and the verifier's errors tell the lines by.
        expect(readFileSync(here).includes(`\0./${file}\0`)).toBe(true);
        if (theSame) expect(readFileSync(join(folder, file.replace(/c$/, "o"))).equals(readFileSync(here))).toBe(true);
      } finally {
        rmSync(elsewhere, { recursive: true, force: true });
      }
    });
  },
);
