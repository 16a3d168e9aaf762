import type { EnumType, FloatType, IntType } from "../type.ts";

const SIGNED: Readonly<Record<number, string>> = {
  1: "signed char",
  2: "short",
  4: "int",
  8: "long long",
  16: "__int128",
};
/** GCC's modes, by which an enum gets a size that its values do not ask for. */
const MODES: Readonly<Record<number, string>> = { 1: "QI", 2: "HI", 8: "DI" };

/** An integer by its name where that is C's for one of its size, else by its size: names of other languages are no C. */
export function integer({ name, size, signed, bool }: IntType): string {
  if (bool && size === 1) return "_Bool";
  return sizeOfName(name) === size ? name : integerOf(size, signed);
}

export function integerOf(size: number, signed: boolean): string {
  const name = SIGNED[size] ?? "int";
  if (signed) return name;
  return size === 1 ? "unsigned char" : `unsigned ${name}`;
}

export function float({ size }: FloatType): string {
  return size === 2 ? "_Float16" : size === 4 ? "float" : size === 8 ? "double" : "long double";
}

function sizeOfName(name: string): number | undefined {
  const words = name.split(" ");
  if (!words.every((word) => /^(signed|unsigned|long|short|int|char|__int128)$/.test(word))) return undefined;
  if (words.includes("char")) return 1;
  if (words.includes("short")) return 2;
  if (words.includes("__int128")) return 16;
  return words.includes("long") ? 8 : 4;
}

/** `NAME = value,` of each value, and what stands behind the brace. */
export function enumBody(type: EnumType, names: readonly string[]): { lines: readonly string[]; attribute: string } {
  const lines = type.values.map(({ value }, i) => `${names[i]} = ${literal(BigInt(value), type.size)},`);
  const wide = type.values.some(({ value }) => value > 0xffffffffn || value < -0x80000000n);
  // C gives an enum the size that its values need, and at least an int's.
  const mode = wide && type.size === 8 ? undefined : MODES[type.size];
  return { lines, attribute: mode === undefined ? "" : ` __attribute__((mode(${mode})))` };
}

function literal(value: bigint, size: number): string {
  if (size < 8) return `${value}`;
  // C has no negative literals, and the lowest number's positive does not fit.
  if (value === -(1n << 63n)) return `(${value + 1n}LL - 1)`;
  return value < 0n ? `${value}LL` : `${value}ULL`;
}
