import { CodecError } from "./codec-error.ts";
import type { FieldLayout, Layout, StructLayout } from "./layout.ts";
import { type Memory, memoryOf } from "./memory.ts";

/** Writes a value of a layout; the writer of whole values gives itself. */
export type Writer = (layout: Layout, memory: Memory, offset: number, value: unknown, path: string) => void;

/**
 * Writes a union, or a struct with unions or bit-fields among its members. Of fields that lie over each other one is
 * enough; when several are given they must say the same of the bits they share, so that changing one member of a value that
 * was read and writing it back is refused rather than half done. Nothing is written unless everything fits.
 */
export function writeOverlapping(
  layout: StructLayout,
  m: Memory,
  o: number,
  value: Record<string, unknown>,
  path: string,
  write: Writer,
): void {
  const whole = memoryOf(new ArrayBuffer(Math.ceil(layout.size / 8) * 8));
  const one = memoryOf(new ArrayBuffer(Math.ceil(layout.size / 8) * 8));
  const said = new Uint8Array(layout.size);
  const by: FieldLayout[] = [];
  for (const field of layout.fields) {
    if (field.choice !== undefined && value[field.name] === undefined) continue;
    one.u8.fill(0);
    write(field.layout, one, field.offset, value[field.name], `${path}.${field.name}`);
    by.push(field);
    for (let i = field.offset; i < field.offset + field.layout.size; i++) {
      const mask = maskAt(field, i);
      const both = (said[i] as number) & mask;
      if ((((whole.u8[i] as number) ^ (one.u8[i] as number)) & both) !== 0)
        throw new CodecError(conflict(by, field, i, path));
      whole.u8[i] = ((whole.u8[i] as number) & ~mask) | ((one.u8[i] as number) & mask);
      said[i] = (said[i] as number) | mask;
    }
  }
  checkChoices(layout, value, path);
  m.u8.set(whole.u8.subarray(0, layout.size), o);
}

/** Which bits of byte `at` belong to the field. */
function maskAt({ layout, offset }: FieldLayout, at: number): number {
  if (layout.kind !== "bits") return 0xff;
  const from = Math.max(0, layout.shift - (at - offset) * 8);
  const to = Math.min(8, layout.shift + layout.bits - (at - offset) * 8);
  return to <= from ? 0 : ((1 << to) - 1) & ~((1 << from) - 1);
}

function conflict(by: readonly FieldLayout[], field: FieldLayout, at: number, path: string): string {
  const other = by.find((one) => one !== field && at >= one.offset && at < one.offset + one.layout.size);
  return `${path}.${other?.name} and ${path}.${field.name} share memory and contradict each other: give one of them.`;
}

/** A union of which no member is given is a slip, not zeros. */
function checkChoices(layout: StructLayout, value: Record<string, unknown>, path: string): void {
  const open = new Map<number, string[]>();
  for (const { choice, name } of layout.fields) {
    if (choice === undefined) continue;
    open.set(choice, [...(open.get(choice) ?? []), name]);
  }
  for (const names of open.values()) {
    if (names.some((name) => value[name] !== undefined)) continue;
    throw new CodecError(`${path} has none of ${names.join(", ")}, which share memory: give one of them.`);
  }
}
