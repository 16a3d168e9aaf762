/** Reads text at an address of the kernel or the user; undefined where it cannot be read. */
export type ReadText = (address: bigint, user: boolean) => Uint8Array | undefined;
/** Reads bytes of the kernel's memory; zeros where they cannot be read. */
export type ReadBytes = (address: bigint, length: number) => Uint8Array;

const CONVERSION = /%([0+\- ]*)(\d*)(%|p(?:ks|us|[iI][46]|[KxsSB])?|s|c|(?:ll|l|h|hh)?[diuxX])/y;
const encoder = new TextEncoder();

/**
 * What `bpf_trace_printk`, `bpf_snprintf` and `bpf_seq_printf` write (the kernel's bpf_bprintf_prepare says what they take);
 * undefined for a format that they refuse with −EINVAL: an unknown conversion, or more conversions than arguments.
 */
export function format(
  template: string,
  values: readonly bigint[],
  readText: ReadText,
  readBytes: ReadBytes,
): Uint8Array | undefined {
  const out: number[] = [];
  const put = (text: string | Uint8Array) => {
    for (const byte of typeof text === "string" ? encoder.encode(text) : text) out.push(byte);
  };
  let used = 0;
  for (let at = 0; at < template.length; ) {
    if (template[at] !== "%") {
      const next = template.indexOf("%", at);
      const end = next < 0 ? template.length : next;
      put(template.slice(at, end));
      at = end;
      continue;
    }
    CONVERSION.lastIndex = at;
    const found = CONVERSION.exec(template);
    if (found === null) return undefined;
    at = CONVERSION.lastIndex;
    const [, flags, width, conversion] = found as unknown as [string, string, string, string];
    if (conversion === "%") {
      put("%");
      continue;
    }
    const value = values[used++];
    if (value === undefined) return undefined;
    put(pad(converted(conversion, flags, value, readText, readBytes), flags, Number(width)));
  }
  return Uint8Array.from(out);
}

function converted(
  conversion: string,
  flags: string,
  value: bigint,
  readText: ReadText,
  readBytes: ReadBytes,
): string | Uint8Array {
  switch (conversion) {
    case "s":
    case "pks":
    case "pus":
      return readText(value, conversion === "pus") ?? new Uint8Array(0);
    case "c":
      return Uint8Array.of(Number(value & 0xffn));
    case "pi4":
    case "pI4":
      return [...readBytes(value, 4)]
        .map((byte) => (conversion === "pi4" ? String(byte).padStart(3, "0") : byte))
        .join(".");
    case "pi6":
    case "pI6": {
      const words = [...readBytes(value, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      return conversion === "pi6" ? words : words.replace(/(.{4})(?!$)/g, "$1:");
    }
    default:
      // Pointers have all their digits.
      if (conversion.startsWith("p")) return BigInt.asUintN(64, value).toString(16).padStart(16, "0");
      return integer(conversion, flags, value);
  }
}

function integer(conversion: string, flags: string, value: bigint): string {
  const bits = conversion.startsWith("l") ? 64 : conversion.startsWith("hh") ? 8 : conversion.startsWith("h") ? 16 : 32;
  const kind = conversion.at(-1);
  if (kind === "d" || kind === "i") {
    const signed = BigInt.asIntN(bits, value);
    const sign = signed < 0n ? "" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
    return `${sign}${signed}`;
  }
  const unsigned = BigInt.asUintN(bits, value);
  if (kind === "u") return unsigned.toString();
  return kind === "X" ? unsigned.toString(16).toUpperCase() : unsigned.toString(16);
}

function pad(text: string | Uint8Array, flags: string, width: number): string | Uint8Array {
  if (text.length >= width) return text;
  if (typeof text !== "string") {
    const padded = new Uint8Array(width).fill(0x20);
    padded.set(text, flags.includes("-") ? 0 : width - text.length);
    return padded;
  }
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0")) return text.padStart(width);
  const sign = /^[+\- ]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}
