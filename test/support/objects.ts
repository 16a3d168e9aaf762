import { fileURLToPath } from "node:url";
import { type ObjectSpec, openObject } from "../../src/sdk/index.ts";

/** One of the compiled objects of test/fixtures/objects, e.g. `maps.el`. */
export function fixture(name: string): ObjectSpec {
  return openObject(fixturePath(name));
}

/** Its path. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/objects/${name}.o`, import.meta.url));
}
