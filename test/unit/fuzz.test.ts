// A few thousand broken inputs for each reader; a million by hand (npm run fuzz). Needs a built dist/ (npm test builds it).
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const fuzz = fileURLToPath(new URL("../fuzz/run.js", import.meta.url));

it("broken objects and types come to typed errors, and to nothing else", { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [fuzz, "elf", "usdt", "btf", "ext", "--inputs", "3000", "--seed", "20261126"],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(status).toBe(0);
  for (const target of ["elf", "usdt", "btf", "ext"])
    expect(stdout).toMatch(new RegExp(`^${target}: 3000 inputs .* 0 failures$`, "m"));
});
