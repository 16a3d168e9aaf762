/** BTF, the kernel's debugging types: reading, writing, comparing and printing them. Pure data. */
export type { Btf } from "./btf.ts";
export type * from "./type.ts";
