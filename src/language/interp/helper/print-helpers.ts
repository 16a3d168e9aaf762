import type { Cpu } from "../cpu/cpu.ts";
import type { Helper } from "../cpu/image.ts";
import { EINVAL } from "../map/errno.ts";
import { format } from "./format.ts";
import { readable, textAt } from "./memory-helpers.ts";

const decoder = new TextDecoder();
/** `trace_printk` takes three. */
const MOST_VALUES = 12;

/** What the format of an argument makes of values; undefined where the kernel says −EINVAL. */
function formatted(cpu: Cpu, template: Uint8Array, values: readonly bigint[]): Uint8Array | undefined {
  return format(
    decoder.decode(template),
    values,
    (address, user) => {
      const found = readable(cpu, address, user ? "user" : "kernel");
      if (found === undefined) return undefined;
      const { bytes } = found.region;
      const end = bytes.indexOf(0, found.at);
      return bytes.subarray(found.at, end < 0 ? bytes.length : end);
    },
    (address, length) => {
      const found = readable(cpu, address, "kernel");
      const bytes = new Uint8Array(length);
      if (found !== undefined && found.at + length <= found.region.size)
        bytes.set(found.region.bytes.subarray(found.at, found.at + length));
      return bytes;
    },
  );
}

/** The text of a format of known size, up to its NUL; undefined where it has none. */
function template(cpu: Cpu, n: number, size: number): Uint8Array | undefined {
  const bytes = cpu.input(n, size);
  const end = bytes.indexOf(0);
  return end < 0 ? undefined : bytes.subarray(0, end);
}

/** Values of 64 bits that r[n] points to, r[n + 1] bytes of them; undefined for a length that is none. */
function valuesAt(cpu: Cpu, n: number): bigint[] | undefined {
  const size = cpu.u32(n + 1);
  if (size % 8 !== 0 || size > MOST_VALUES * 8 || (cpu.isNull(n) && size !== 0)) return undefined;
  if (size === 0) return [];
  const bytes = cpu.input(n, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  return Array.from({ length: size / 8 }, (_, i) => view.getBigUint64(i * 8, cpu.little));
}

function print(cpu: Cpu, text: Uint8Array | undefined, values: readonly bigint[] | undefined): void {
  const line = text === undefined || values === undefined ? undefined : formatted(cpu, text, values);
  // The trace gives each a line of its own.
  if (line !== undefined) cpu.state.world.printed.push(decoder.decode(line).replace(/\n$/, ""));
  cpu.result(line?.length ?? EINVAL);
}

/** Text made by programs. */
export const printHelpers: Readonly<Record<string, Helper>> = {
  trace_printk: (cpu) => print(cpu, template(cpu, 1, cpu.u32(2)), [cpu.u64(3), cpu.u64(4), cpu.u64(5)]),
  trace_vprintk: (cpu) => print(cpu, template(cpu, 1, cpu.u32(2)), valuesAt(cpu, 3)),
  snprintf: (cpu) => {
    const size = cpu.u32(2);
    const text = textAt(cpu, 3);
    const values = valuesAt(cpu, 4);
    const made = values === undefined ? undefined : formatted(cpu, text.subarray(0, -1), values);
    if (made === undefined) return cpu.result(EINVAL);
    if (size > 0) {
      const kept = made.subarray(0, size - 1);
      const to = cpu.output(1, Math.min(size, kept.length + 1));
      to.set(kept);
      to[kept.length] = 0;
    }
    return cpu.result(made.length + 1);
  },
  seq_printf: (cpu) => {
    const text = template(cpu, 2, cpu.u32(3));
    const values = valuesAt(cpu, 4);
    const made = text === undefined || values === undefined ? undefined : formatted(cpu, text, values);
    if (made === undefined) return cpu.result(EINVAL);
    cpu.state.output.push(made);
    return cpu.result(0);
  },
};
