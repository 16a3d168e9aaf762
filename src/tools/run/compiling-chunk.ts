import type { Compiling } from "./compiling.ts";

/** What bin/skep.js gives to a command's chunk. */
interface Chunk {
  load(name: string): { compiling(): Compiling };
}

/** Stands for compiling.ts in the command's bundle: the same from a chunk of its own, loaded when it is first asked for. */
export function compiling(): Compiling {
  return (module as unknown as Chunk).load("run-compiling").compiling();
}
