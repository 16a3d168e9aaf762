import type { ProgramSpec } from "../../../sdk/index.ts";
import { type Image, imageName, unpackImage } from "./image.ts";
import type { KernelOptions } from "./options.ts";

/** The programs for the usual options, assembled by the build for the architecture it runs on. */
declare const SKEP_IMAGES: Readonly<Record<string, Readonly<Record<string, Image>>>>;

/**
 * Stands for programs.ts in the command's bundle, so that it starts sooner: gives what the build assembled. Options that
 * ask for other programs load the assembler, which is a chunk of its own.
 */
export function assemblePrograms(options: KernelOptions): Record<string, ProgramSpec> {
  const name = imageName(options);
  const image = name === undefined ? undefined : SKEP_IMAGES[process.arch]?.[name];
  if (image !== undefined) return unpackImage(image);
  const { assemblePrograms } = module.require(`${__dirname}/trace-assemble.cjs`) as typeof import("./programs.ts");
  return assemblePrograms(options);
}
