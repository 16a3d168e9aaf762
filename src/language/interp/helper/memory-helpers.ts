import type { Cpu } from "../cpu/cpu.ts";
import type { Helper } from "../cpu/image.ts";
import { EFAULT, EINVAL, ERANGE } from "../map/errno.ts";
import { isUser } from "../memory/address-space.ts";
import { highHalf } from "../memory/integers.ts";
import type { Region } from "../memory/region.ts";

/** Which half of the addresses a helper reads: the legacy ones read both. */
type Side = "kernel" | "user" | "any";

/** The memory behind an address that a helper may fail to read; undefined where it does. */
export function readable(
  cpu: Cpu,
  address: bigint,
  side: Side,
  sleeps = false,
): { readonly region: Region; readonly at: number } | undefined {
  if (side !== "any" && isUser(highHalf(address)) !== (side === "user")) return undefined;
  const found = cpu.space.locate(address);
  return found === undefined || !(found.region.resident || sleeps) ? undefined : found;
}

/** What a helper that cannot read an address says: of one that is no kernel's, those for kernel memory say it is out of range. */
function reason(cpu: Cpu, n: number, side: Side): number {
  return side === "kernel" && isUser(cpu.regs[n * 2 + 1] as number) ? ERANGE : EFAULT;
}

/** Copies `size` bytes (r2) from r3 to r1; zeros and −EFAULT (or −ERANGE) where they cannot be read. */
const probeRead =
  (side: Side, sleeps = false): Helper =>
  (cpu) => {
    const size = cpu.u32(2);
    const to = cpu.output(1, size);
    const from = readable(cpu, cpu.u64(3), side, sleeps);
    if (size === 0) return cpu.result(0);
    if (from === undefined || from.at + size > from.region.size) {
      to.fill(0);
      return cpu.result(reason(cpu, 3, side));
    }
    to.set(from.region.bytes.subarray(from.at, from.at + size));
    return cpu.result(0);
  };

/** Copies text up to its NUL, at most r2 bytes with a NUL at their end; how many, the NUL too. */
const probeReadText =
  (side: Side): Helper =>
  (cpu) => {
    const size = cpu.u32(2);
    const before = cpu.regionOf(1);
    const to = cpu.writableRoom(1, size);
    const from = readable(cpu, cpu.u64(3), side);
    if (size === 0) return cpu.result(0);
    const { bytes } = from?.region ?? { bytes: new Uint8Array(0) };
    let length = 0;
    let at = from?.at ?? 0;
    let ended = false;
    while (length < size - 1 && at < bytes.length && !ended) {
      const byte = bytes[at++] as number;
      to[length++] = byte;
      ended = byte === 0;
    }
    // What is not text to its end within the memory there is.
    if (!ended && (from === undefined || (length < size - 1 && at >= bytes.length))) {
      to.fill(0);
      before?.region.written(before.at, size);
      return cpu.result(reason(cpu, 3, side));
    }
    if (!ended) to[length++] = 0;
    // What lies behind the NUL stays as it was: whoever reads it reads what nobody wrote.
    before?.region.written(before.at, length);
    return cpu.result(length);
  };

const strncmp: Helper = (cpu) => {
  const size = cpu.u32(2);
  const one = cpu.input(1, size);
  const other = textAt(cpu, 3);
  for (let i = 0; i < size; i++) {
    const a = one[i] as number;
    const b = other[i] ?? 0;
    if (a !== b) return cpu.result(a < b ? -1 : 1);
    if (a === 0) break;
  }
  return cpu.result(0);
};

/** Text that a constant argument points to, with its NUL. */
export function textAt(cpu: Cpu, n: number): Uint8Array {
  const found = cpu.regionOf(n);
  const end = found?.region.bytes.indexOf(0, found.at) ?? -1;
  if (found === undefined || end < 0) cpu.fault("BAD_ARGUMENT", `Argument ${n} must be text that ends with a NUL.`);
  return found.region.bytes.subarray(found.at, end + 1);
}

/** A number at the beginning of text: −EINVAL where there is none, −ERANGE where it does not fit, otherwise its length. */
const strto =
  (signed: boolean): Helper =>
  (cpu) => {
    const size = cpu.u32(2);
    const bytes = cpu.input(1, size);
    const flags = cpu.u32(3);
    const result = cpu.output(4, 8);
    const base = flags & 31;
    if (flags & ~31 || ![0, 8, 10, 16].includes(base) || size === 0) return cpu.result(EINVAL);
    const found = /^(\s*)(-?)(0[xX](?=[0-9a-fA-F]))?([0-9a-zA-Z]*)/.exec(String.fromCharCode(...bytes));
    const [, space = "", sign = "", prefix = "", rest = ""] = found ?? [];
    let digits = rest;
    const radix = base !== 0 ? base : prefix !== "" ? 16 : digits.startsWith("0") ? 8 : 10;
    if (prefix !== "" && radix !== 16) digits = "0";
    digits = (radix === 16 ? /^[0-9a-fA-F]*/ : radix === 8 ? /^[0-7]*/ : /^[0-9]*/).exec(digits)?.[0] ?? "";
    if (digits === "" || (sign !== "" && !signed)) return cpu.result(EINVAL);
    let value = 0n;
    for (const digit of digits) value = value * BigInt(radix) + BigInt(Number.parseInt(digit, radix));
    if (sign !== "") value = -value;
    if (signed ? BigInt.asIntN(64, value) !== value : BigInt.asUintN(64, value) !== value) return cpu.result(ERANGE);
    new DataView(result.buffer, result.byteOffset).setBigUint64(0, BigInt.asUintN(64, value), cpu.little);
    const usedPrefix = prefix !== "" && radix === 16 ? 2 : 0;
    return cpu.result(space.length + sign.length + usedPrefix + digits.length);
  };

/** Reading memory that may not be there, and text. */
export const memoryHelpers: Readonly<Record<string, Helper>> = {
  probe_read: probeRead("any"),
  probe_read_kernel: probeRead("kernel"),
  probe_read_user: probeRead("user"),
  copy_from_user: probeRead("user", true),
  probe_read_str: probeReadText("any"),
  probe_read_kernel_str: probeReadText("kernel"),
  probe_read_user_str: probeReadText("user"),
  probe_write_user: (cpu) => {
    const size = cpu.u32(3);
    const from = cpu.input(2, size);
    const to = readable(cpu, cpu.u64(1), "user");
    if (to === undefined || to.at + size > to.region.size) return cpu.result(EFAULT);
    to.region.bytes.set(from, to.at);
    return cpu.result(0);
  },
  skb_load_bytes: (cpu) => {
    const size = cpu.u32(4);
    const to = cpu.output(3, size);
    const { bytes } = cpu.packet(cpu.pc);
    const at = cpu.u32(2);
    if (at + size > bytes.length) {
      to.fill(0);
      return cpu.result(EFAULT);
    }
    to.set(bytes.subarray(at, at + size));
    return cpu.result(0);
  },
  strncmp,
  strtol: strto(true),
  strtoul: strto(false),
  seq_write: (cpu) => {
    cpu.state.output.push(cpu.input(2, cpu.u32(3)).slice());
    cpu.result(0);
  },
  get_func_arg: (cpu) => {
    const value = cpu.output(3, 8);
    const index = cpu.u32(2);
    if (index >= cpu.state.argumentCount) return cpu.result(EINVAL);
    value.set(cpu.input(1, (index + 1) * 8).subarray(index * 8));
    return cpu.result(0);
  },
  get_func_ret: (cpu) => {
    const value = cpu.output(2, 8);
    const index = cpu.state.argumentCount;
    value.set(cpu.input(1, (index + 1) * 8).subarray(index * 8));
    cpu.result(0);
  },
  get_func_arg_cnt: (cpu) => cpu.result(cpu.state.argumentCount),
};
