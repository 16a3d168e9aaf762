import { readFileSync } from "node:fs";
import type { Image } from "./image.ts";

/** An image by its name: what the build compiled lies in this package. */
export function readImage(name: string): Image {
  const file = new URL(`dist/trace-images/${name}.json`, import.meta.resolve("skep/package.json"));
  return JSON.parse(readFileSync(file, "latin1")) as Image;
}
