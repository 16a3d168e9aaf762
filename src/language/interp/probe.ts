import { encodeUsdtSpec, USDT_ADDRESSES, USDT_SPECS, usdtSpecLayout } from "../../object/spec/index.ts";
import { MachineError } from "./machine-fault.ts";
import type { RunOptions } from "./machine-options.ts";
import { KeyedMachineMap } from "./map/keyed-map.ts";
import type { MachineMap } from "./map/machine-map.ts";
import { putInteger } from "./memory/integers.ts";

/** What a program at a probe finds: its registers, and the number of the description of that place. */
export interface Probe {
  readonly context: Uint8Array;
  readonly number: bigint;
}

/** The description that a machine gives to the probes of its runs. */
const NUMBER = 0;
/** By the bytes of struct pt_regs: where the instruction pointer stands. */
const IP: Readonly<Record<number, number>> = { 168: 128, 272: 256 };

/**
 * Describes a probe (USDT) with these arguments in the object's tables, as whoever attaches a program does: as constants. Throws
 * MachineError and UsdtError.
 */
export function describeProbe(
  maps: ReadonlyMap<string, MachineMap>,
  args: NonNullable<RunOptions["probeArguments"]>,
  cookie: bigint,
  given: Uint8Array | undefined,
  little: boolean,
): Probe {
  const context = given ?? new Uint8Array(168);
  const specs = maps.get(USDT_SPECS);
  if (!(specs instanceof KeyedMachineMap)) {
    if (args.length === 0) return { context, number: cookie };
    throw new MachineError(`The object has no map "${USDT_SPECS}": none of its programs reads arguments of a probe.`);
  }
  const layout = usdtSpecLayout({ type: specs.spec.type, valueSize: specs.valueSize }, specs._place.value);
  const described = args.map((value) => ({ kind: "constant", value: BigInt(value), size: 8, signed: true }) as const);
  const entry = specs._find(integer(NUMBER, 4, little), false);
  entry?.values[0]?.set(encodeUsdtSpec(layout, described, cookie));
  const addresses = maps.get(USDT_ADDRESSES);
  const ip = IP[context.length];
  if (addresses instanceof KeyedMachineMap && ip !== undefined)
    addresses._put(context.slice(ip, ip + 8), integer(NUMBER, 4, little), 0, 0);
  return { context, number: BigInt(NUMBER) };
}

function integer(value: number, size: number, little: boolean): Uint8Array {
  const bytes = new Uint8Array(size);
  putInteger(bytes, BigInt(value), little);
  return bytes;
}
