import { join } from "node:path";
import { root } from "./cli.ts";

/**
 * The path of the compiled test/fixtures/NAME.c, a small program of which it is known exactly what it asks of the kernel.
 * The build compiles them (scripts/build.js --tests), so that a slow virtual machine need not.
 */
export function fixture(name: string): string {
  return join(root, "dist-test", "fixtures", name);
}
