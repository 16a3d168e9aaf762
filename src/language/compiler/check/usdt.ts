import { USDT_ADDRESSES, USDT_MOST_ARGUMENTS, USDT_SPECS } from "../../../object/spec/index.ts";
import type { MapDecl } from "../hir.ts";
import type { Span } from "../span.ts";
import { BOOL, I8, U8, U16, U32, U64 } from "../type.ts";
import { layStruct } from "./type-expressions.ts";

/** How many places of probes one module's programs are told apart at, and before Linux 5.15 how many addresses. */
const MOST_SPECS = 256;
const MOST_ADDRESSES = 1024;

/** What `bpf/usdt.bpf.h` has in its bit-fields, in whole bytes: whoever attaches writes by the names of the fields. */
const ARGUMENT = layStruct("__bpf_usdt_arg_spec", [
  { name: "val_off", type: U64 },
  { name: "arg_type", type: U8 },
  { name: "scale_bitshift", type: U8 },
  { name: "idx_reg_off", type: U16 },
  { name: "reg_off", type: U16 },
  { name: "arg_signed", type: BOOL },
  { name: "arg_bitshift", type: I8 },
]);

const SPEC = layStruct("__bpf_usdt_spec", [
  { name: "args", type: { kind: "array", element: ARGUMENT, length: USDT_MOST_ARGUMENTS } },
  { name: "usdt_cookie", type: U64 },
  { name: "arg_cnt", type: U16 },
]);

/**
 * The maps in which a program at a probe (USDT) finds where the arguments are: descriptions by their numbers, which the kernel hands
 * to the program as its cookie; where it has no cookies, the numbers by the probe's address.
 */
export function usdtMaps(hasCookies: boolean, span: Span): MapDecl[] {
  const common = { exported: false, filledOutside: true, span } as const;
  const specs = { ...common, name: USDT_SPECS, kind: "array", key: U32, value: SPEC, maxEntries: MOST_SPECS } as const;
  if (hasCookies) return [specs];
  return [
    specs,
    { ...common, name: USDT_ADDRESSES, kind: "hash", key: U64, value: U32, maxEntries: MOST_ADDRESSES } as const,
  ];
}
