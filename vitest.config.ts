import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: {
      "skep/asm": fileURLToPath(new URL("src/object/asm/index.ts", import.meta.url)),
      "skep/doctor": fileURLToPath(new URL("src/tools/doctor/index.ts", import.meta.url)),
      "skep/kernel": fileURLToPath(new URL("src/language/kernel/index.ts", import.meta.url)),
      "skep/testing": fileURLToPath(new URL("src/language/interp/index.ts", import.meta.url)),
      "skep/trace": fileURLToPath(new URL("src/tools/trace/index.ts", import.meta.url)),
      skep: fileURLToPath(new URL("src/sdk/index.ts", import.meta.url)),
    },
  },
  test: {
    include: ["src/**/*.test.ts", "test/unit/**/*.test.ts"],
    pool: "threads",
    isolate: false,
    // Machines may be slow: no test is about time.
    testTimeout: 120_000,
  },
});
