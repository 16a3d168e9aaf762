/** What `skep trace` needs only to explain what failed: a chunk of its own (disassemble-rare.ts, btf-rare.ts). */
export { Btf, disassemble } from "../../sdk/index.ts";
