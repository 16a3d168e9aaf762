import { signalName } from "../../../../machine/proc/index.ts";
import { IPC_GET, SHM_GET } from "../constants/index.ts";
import { setNamed } from "../constants/named.ts";
import type { FlagSet } from "../flag-set.ts";
import type { ArgumentType, DecodedCall } from "../model.ts";
import { hex, high, int, isNull, low, pointer, signed, unsigned } from "../words.ts";

const UINT64_MAX = 0xffffffff;

function long(call: DecodedCall, arg: number): string {
  const value = signed(call, arg);
  if (Number.isSafeInteger(value)) return String(value);
  return String(BigInt.asIntN(64, (BigInt(high(call, arg)) << 32n) | BigInt(low(call, arg))));
}

function ulong(call: DecodedCall, arg: number): string {
  if (high(call, arg) <= 0x1fffff) return String(unsigned(call, arg));
  return String((BigInt(high(call, arg)) << 32n) | BigInt(low(call, arg)));
}

const exact = (text: string): number | string => (Number.isSafeInteger(Number(text)) ? Number(text) : text);

/** Plain numbers, addresses and masks. */
export const BASIC: Readonly<Record<string, ArgumentType>> = {
  __proto__: null as never,
  int: { text: (call, arg) => String(int(call, arg)), json: int },
  uint: { text: (call, arg) => String(low(call, arg)), json: low },
  long: { text: long, json: (call, arg) => exact(long(call, arg)) },
  ulong: { text: ulong, json: (call, arg) => exact(ulong(call, arg)) },
  hex: { text: (call, arg) => (isNull(call, arg) ? "0" : hex(call, arg)) },
  /** Of 32 bits, whatever the register has above them. */
  xint: { text: (call, arg) => (low(call, arg) === 0 ? "0" : `0x${low(call, arg).toString(16)}`) },
  makedev: { text: (call, arg) => deviceText(low(call, arg)) },
  ptr: { text: pointer, json: (call, arg) => (isNull(call, arg) ? null : hex(call, arg)) },
  oct: { text: (call, arg) => octal(low(call, arg) & 0xffff) },
  sig: { text: (call, arg) => (int(call, arg) === 0 ? "0" : signalName(int(call, arg))) },
  ipckey: { text: (call, arg) => (low(call, arg) === 0 ? "IPC_PRIVATE" : `0x${low(call, arg).toString(16)}`) },
  ipcget: withPermissions(IPC_GET),
  shmget: withPermissions(SHM_GET),
  id: {
    // −1 leaves an owner as it is (chown(2)).
    text: (call, arg) => (low(call, arg) === UINT64_MAX ? "-1" : String(low(call, arg))),
    json: (call, arg) => (low(call, arg) === UINT64_MAX ? -1 : low(call, arg)),
  },
};

/** Flags over nine bits of permissions, as shmget(2) and its like take them: `IPC_CREAT|0600`. */
function withPermissions(set: FlagSet): ArgumentType {
  return {
    text: (call, arg) => {
      const flags = (low(call, arg) & ~0o777) >>> 0;
      const permissions = octal(low(call, arg) & 0o777);
      return flags === 0 ? permissions : `${set.text(flags)}|${permissions}`;
    },
  };
}

export function octal(value: number): string {
  return `0${value.toString(8).padStart(2, "0")}`;
}

/** A device number as the kernel passes it: 12 bits of major from bit 8 on, the minor around them (makedev(3)). */
export function deviceText(device: number): string {
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return `makedev(0x${((device >>> 8) & 0xfff).toString(16)}, 0x${minor.toString(16)})`;
}

/** Captures of as many bytes. */
export const constant =
  (size: number, when: "enter" | "exit"): NonNullable<ArgumentType["captures"]> =>
  (arg) => [{ arg, when, kind: "bytes", length: { const: size } }];

/** A type whose name is that of a set of constants. */
export function flagType(name: string): ArgumentType | undefined {
  const set = setNamed(name);
  return set === undefined ? undefined : { text: (call, arg) => set.text(int(call, arg)) };
}
