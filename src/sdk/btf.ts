/**
 * Types alone: the kernel's, a module's or an object's, looked at, decoded by and printed, without the rest of Skep.
 *
 * @module
 */
export * from "../object/btf/index.ts";
export { CodecError, decodeValue, encodeValue, type Layout, layoutOf } from "../object/codec/index.ts";
export { KernelBtfError, kernelBtf, moduleBtf } from "../runtime/sys/index.ts";
