/** BTF, the kernel's debugging types: reading, writing, comparing and printing them. Pure data. */
export { Btf, type BtfOptions } from "./btf.ts";
export { BtfError } from "./btf-error.ts";
export { BtfBuilder, type BtfBuilderOptions } from "./builder.ts";
export { MACHINE_ORDER } from "./byte-order.ts";
export {
  accessText,
  CoreError,
  CoreResolver,
  type CoreTarget,
  type Relocation,
  type Resolution,
  typesCompatible,
} from "./core/index.ts";
export { type Deduplicated, dedup } from "./dedup/index.ts";
export { BtfEdit } from "./edit.ts";
export { essentialName } from "./essential-name.ts";
export {
  type ExtInfo,
  type ExtWords,
  FUNCTION_WORDS,
  type FunctionRecord,
  LINE_WORDS,
  type LineRecord,
  type RelocationRecord,
  readExtInfo,
  readExtWords,
} from "./ext-info.ts";
export { describeType, printC, printDeclaration, printType } from "./print/index.ts";
export type * from "./type.ts";
