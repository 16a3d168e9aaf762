import type { Reading } from "./reading.ts";

/** What bin/skep.js gives to a command's chunk. */
interface Chunk {
  load(name: string): { reading(): Reading };
}

/** Stands for reading.ts in the command's bundle: the same from a chunk of its own, loaded when it is first asked for. */
export function reading(): Reading {
  return (module as unknown as Chunk).load("trace-reading").reading();
}
