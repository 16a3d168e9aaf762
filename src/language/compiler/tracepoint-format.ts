/**
 * What a tracepoint's program finds in its context, read from the text of the tracepoint's `format` file
 * (Documentation/trace/events.rst). The file writes types as C does and gives a place and a size for each field; what a field
 * is follows from both, because the sizes of system calls' arguments are those of registers and not of their types.
 */

/** A field of a tracepoint's record. */
export interface TracepointField {
  readonly name: string;
  /** Bytes from the beginning of the context. */
  readonly offset: number;
  /** Bytes that it is read with; for system calls those of its type, where the record has a whole register for it. */
  readonly size: number;
  readonly type: TracepointType;
  /** The type as the file writes it: `const char *`, `unsigned long[6]`. */
  readonly declared: string;
}

/** What a field of a tracepoint is. */
export type TracepointType =
  | TracepointInteger
  | { readonly kind: "bool" }
  /** `char name[16]`: text, up to its NUL or the end of the field. */
  | { readonly kind: "text"; readonly size: number }
  | { readonly kind: "array"; readonly element: TracepointInteger; readonly length: number }
  /** An address in the memory of the process: a pointer among a system call's arguments. `to`: what the type says is there. */
  | { readonly kind: "userPointer"; readonly to: string }
  /** An address in the kernel's memory. `struct`: the name of the struct that is there, where the type says one. */
  | { readonly kind: "kernelPointer"; readonly to: string; readonly struct?: string }
  /**
   * Data of any length behind the record: the word at the field's place tells where (the low half: bytes from the context's
   * beginning, or for `relative` from the word's end) and how long it is (the high half).
   */
  | { readonly kind: "located"; readonly element: "text" | TracepointInteger | "bytes"; readonly relative: boolean }
  /** A struct, or an array of something that is no integer. */
  | { readonly kind: "bytes"; readonly size: number };

/** An integer of a tracepoint. */
export interface TracepointInteger {
  readonly kind: "int";
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}

/** Category and name of a tracepoint: `syscalls:sys_enter_openat`, or with `/`. Undefined for anything else. */
export function tracepointName(text: string): { readonly category: string; readonly event: string } | undefined {
  const [, category, event] = /^([\w-]+)[:/](\w+)$/.exec(text) ?? [];
  return category === undefined || event === undefined ? undefined : { category, event };
}

/** A tracepoint by its `format` file. */
export interface TracepointFormat {
  /** `sys_enter_openat`. */
  readonly name: string;
  /** Without the common ones, which programs may not read. */
  readonly fields: readonly TracepointField[];
  /** Bytes up to the end of the last field. */
  readonly size: number;
}

/** Width and sign of a C type that is no word of C itself, such as `umode_t`; undefined when it is unknown or no integer. */
export type ResolveInteger = (name: string) => TracepointInteger | undefined;

/**
 * Reads a tracepoint's `format` file. `resolve` is asked for the names of types that the kernel defines (BTF knows them);
 * without it, or where it knows nothing, the field's size and sign in the file count. Lines that are no field are left out:
 * an empty text has no fields.
 */
export function parseTracepointFormat(text: string, resolve: ResolveInteger = () => undefined): TracepointFormat {
  const name = /^name:\s*(\S+)/m.exec(text)?.[1] ?? "";
  const lines = [...text.matchAll(FIELD)].map((match) => ({
    declaration: (match[1] as string).trim(),
    offset: Number(match[2]),
    size: Number(match[3]),
    signed: match[4] === "1",
  }));
  // The kernel writes system calls' arguments as registers, each in a slot of 8 bytes.
  const isSyscall = lines.some(({ declaration }) => /\b__syscall_nr$/.test(declaration));
  const fields = lines
    .filter(({ declaration }) => !/\bcommon_\w+$/.test(declaration))
    .map((line) => readField(line, isSyscall, resolve));
  return { name, fields, size: lines.reduce((end, { offset, size }) => Math.max(end, offset + size), 0) };
}

const FIELD = /^\s*field:([^;]+);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:([01]);)?/gm;

interface Line {
  readonly declaration: string;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
}

function readField(
  { declaration, offset, size, signed }: Line,
  isSyscall: boolean,
  resolve: ResolveInteger,
): TracepointField {
  const located = /^__(data|rel)_loc\s+(.+?)\s*\[\]\s*(\w+)$/.exec(declaration);
  if (located !== null) {
    const [, base, of = "", name = ""] = located;
    const integer = integerOf(of, resolve);
    const element = /\bchar$/.test(of) && !/\bunsigned\b/.test(of) ? "text" : (integer ?? "bytes");
    return { name, offset, size, type: { kind: "located", element, relative: base === "rel" }, declared: `${of}[]` };
  }
  const [, of = "", name = declaration, bracket] = /^(.*?)\s*(\w+)(\[[^\]]*\])?$/.exec(declaration) ?? [];
  const field = (type: TracepointType, bytes = size): TracepointField => ({
    name,
    offset,
    size: bytes,
    type,
    declared: bracket === undefined ? of : `${of}${bracket}`,
  });
  if (bracket !== undefined) return field(arrayType(of, size, signed, resolve));
  if (of.endsWith("*")) return field(pointerType(of, isSyscall));
  if (/^(const )?(bool|_Bool)$/.test(of) && size === 1) return field({ kind: "bool" });
  const declared = integerOf(of, resolve);
  // An `int` in a register's slot: what is above its 32 bits means nothing.
  if (isSyscall && declared !== undefined && declared.bits / 8 <= size) return field(declared, declared.bits / 8);
  const bits = bitsOf(size);
  return field(bits === undefined ? { kind: "bytes", size } : { kind: "int", bits, signed });
}

function arrayType(of: string, size: number, signed: boolean, resolve: ResolveInteger): TracepointType {
  if (/^(const )?char$/.test(of) && size > 0) return { kind: "text", size };
  const element = integerOf(of, resolve);
  if (element === undefined || size === 0 || size % (element.bits / 8) !== 0) return { kind: "bytes", size };
  // The file knows whether `unsigned long` is what the type's name says.
  return {
    kind: "array",
    element: { ...element, signed: signed || element.signed },
    length: size / (element.bits / 8),
  };
}

function pointerType(of: string, isSyscall: boolean): TracepointType {
  const to = of.replace(/\s*\*$/, "");
  if (isSyscall || /\b__user\b/.test(of)) return { kind: "userPointer", to: to.replace(/\s*\b__user\b/, "") };
  const struct = /^(?:const )?struct (\w+)$/.exec(to)?.[1];
  return { kind: "kernelPointer", to, ...(struct !== undefined && { struct }) };
}

function bitsOf(size: number): TracepointInteger["bits"] | undefined {
  return size === 1 || size === 2 || size === 4 || size === 8 ? ((size * 8) as TracepointInteger["bits"]) : undefined;
}

const WIDTHS: Readonly<Record<string, TracepointInteger["bits"]>> = {
  char: 8,
  short: 16,
  int: 32,
  long: 64,
  "long long": 64,
  "": 32,
};

/** C's own integers by their words, the kernel's short names, then what `resolve` knows. */
function integerOf(type: string, resolve: ResolveInteger): TracepointInteger | undefined {
  const name = type
    .replace(/\b(const|volatile)\b/g, "")
    .trim()
    .replace(/\s+/g, " ");
  const short = /^(?:__)?([us])(8|16|32|64)$/.exec(name);
  if (short !== null)
    return { kind: "int", bits: Number(short[2]) as TracepointInteger["bits"], signed: short[1] === "s" };
  const exact = /^(u?)int(8|16|32|64)_t$/.exec(name);
  if (exact !== null)
    return { kind: "int", bits: Number(exact[2]) as TracepointInteger["bits"], signed: exact[1] === "" };
  if (/^(unsigned|signed|char|short|int|long)( (unsigned|signed|char|short|int|long))*$/.test(name)) {
    const words = name
      .replace(/\b(un)?signed\b/g, "")
      .trim()
      .replace(/\s+/g, " ");
    const plain = words === "int" ? words : words.replace(/ ?\bint\b/, "");
    const bits = WIDTHS[plain];
    return bits === undefined ? undefined : { kind: "int", bits, signed: !/\bunsigned\b/.test(name) };
  }
  return /^\w+$/.test(name) ? resolve(name) : undefined;
}
