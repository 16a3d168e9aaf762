// A test that leaves a descriptor open, and one that does not: what kernelTest makes of them.
import { createMap } from "../../../src/sdk/index.ts";
import { kernelTest } from "../../support/kernel-test.ts";

const spec = { type: "array", keySize: 4, valueSize: 4, maxEntries: 1 } as const;

kernelTest("leaks", () => {
  createMap(spec, "left behind");
});

kernelTest("does not leak", () => {
  createMap(spec, "closed").close();
});
