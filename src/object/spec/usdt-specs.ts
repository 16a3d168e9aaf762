import {
  array,
  bool,
  i8,
  i16,
  type Layout,
  makeEncoder,
  memoryOf,
  type StructLayout,
  struct,
  u32,
  u64,
} from "../codec/index.ts";
import type { UsdtArgument } from "../elf/index.ts";
import type { MapTypeName } from "./map-type.ts";

/** A probe that is not there, or cannot be attached to as things are. */
export class UsdtError extends Error {
  override readonly name = "UsdtError";
  readonly code = "SKEP_USDT";
}

/** The maps that programs find a probe's arguments by: those that `bpf/usdt.bpf.h` defines, and what the compiler makes for `usdt`. */
export const USDT_SPECS = "__bpf_usdt_specs";
export const USDT_ADDRESSES = "__bpf_usdt_ip_to_spec_id";

/** Where an argument is (enum __bpf_usdt_arg_type). */
export const USDT_KINDS = { constant: 0, register: 1, memory: 2, scaled: 3 } as const;

/** Arguments that a description has room for. */
export const USDT_MOST_ARGUMENTS = 12;

/** `struct __bpf_usdt_spec` as it was until there were scaled addresses (libbpf 1.7), for objects that brought no types. */
const FIRST_LAYOUT = struct({
  args: array(
    struct({ val_off: u64, arg_type: u32, reg_off: i16, arg_signed: bool, arg_bitshift: i8 }),
    USDT_MOST_ARGUMENTS,
  ),
  usdt_cookie: u64,
  arg_cnt: i16,
});

/**
 * The layout of descriptions in an object's map, by the layout of its values as far as that is known. Throws UsdtError for a map
 * that has none.
 */
export function usdtSpecLayout(
  map: { readonly type: MapTypeName | number; readonly valueSize: number },
  values: Layout | undefined,
): StructLayout {
  const layout: StructLayout = values?.kind === "struct" ? values : FIRST_LAYOUT;
  if (map.type === "array" && layout.size === map.valueSize && fieldOf(layout, "args") !== undefined) return layout;
  throw new UsdtError(
    `Map "${USDT_SPECS}" is not what bpf/usdt.bpf.h defines (an array of struct __bpf_usdt_spec), or its type is not known: compile the object with -g.`,
  );
}

/** The description of a probe's place as programs read it: where its arguments are, and its cookie. Throws UsdtError. */
export function encodeUsdtSpec(layout: StructLayout, args: readonly UsdtArgument[], cookie: bigint): Uint8Array {
  const list = fieldOf(layout, "args");
  if (list?.kind !== "array" || list.element.kind !== "struct")
    throw new UsdtError(
      `The type of map "${USDT_SPECS}" has no list of arguments: it is of a version that is not known.`,
    );
  const element = list.element;
  if (args.length > list.length)
    throw new UsdtError(`The probe has ${args.length} arguments, and map "${USDT_SPECS}" has room for ${list.length}.`);
  const names = new Set<string>(element.fields.map(({ name }: { readonly name: string }) => name));
  if (args.some(({ kind }) => kind === "scaled") && !names.has("scale_bitshift"))
    throw new UsdtError(
      "An argument of the probe is at a scaled address (base + index × n), which the object cannot read: it was compiled with a bpf/usdt.bpf.h older than libbpf 1.7. Compile it with a newer one.",
    );
  const rows = Array.from({ length: list.length }, (_, i) => rowOf(args[i], element));
  const memory = memoryOf(new ArrayBuffer(layout.size));
  makeEncoder(layout as Layout)(memory, 0, {
    args: rows,
    usdt_cookie: BigInt.asUintN(64, cookie),
    arg_cnt: args.length,
  });
  return memory.u8;
}

function fieldOf(layout: StructLayout, name: string): Layout | undefined {
  return layout.fields.find((one) => one.name === name)?.layout;
}

/** `struct __bpf_usdt_arg_spec`, with the members that this version of it has. */
function rowOf(arg: UsdtArgument | undefined, { fields }: StructLayout): Record<string, unknown> {
  const values: Record<string, unknown> = { arg_signed: arg?.signed ?? false, val_off: 0n };
  if (arg !== undefined) {
    const offset = arg.kind === "constant" ? arg.value : arg.kind === "register" ? 0n : arg.displacement;
    values["val_off"] = BigInt.asUintN(64, offset);
    values["arg_type"] = USDT_KINDS[arg.kind];
    values["reg_off"] = arg.kind === "constant" ? 0 : arg.register;
    values["arg_bitshift"] = 64 - arg.size * 8;
    if (arg.kind === "scaled") {
      values["idx_reg_off"] = arg.index;
      values["scale_bitshift"] = arg.shift;
    }
  }
  return Object.fromEntries(fields.map(({ name }) => [name, values[name] ?? 0]));
}
