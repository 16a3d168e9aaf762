import { readFileSync } from "node:fs";
import type { Image } from "./image.ts";

/** The images for the usual options, compiled by the build for the architecture it runs on. */
declare const SKEP_IMAGES: Readonly<Record<string, Image>>;

/**
 * Stands for images.ts in the command's bundle, so that it starts sooner: what the usual options ask for is in the bundle. Others
 * are read from their files.
 */
export function readImage(name: string): Image {
  const image = SKEP_IMAGES[name];
  if (image !== undefined) return image;
  return JSON.parse(readFileSync(`${__dirname}/../trace-images/${name}.json`, "latin1")) as Image;
}
