import type { BtfOptions, Btf as Types } from "./btf.ts";

/** What bin/skep.js gives to a command's chunk. */
interface Chunk {
  load(name: string): { readonly Btf: { parse(bytes: Uint8Array, options?: BtfOptions): Types } };
}

/**
 * Stands for btf.ts in the bundle of a command whose start counts, and which asks for types only to say why something failed:
 * the same from a chunk of its own.
 */
export const Btf = {
  parse(bytes: Uint8Array, options?: BtfOptions): Types {
    return (module as unknown as Chunk).load("trace-rare").Btf.parse(bytes, options);
  },
};
