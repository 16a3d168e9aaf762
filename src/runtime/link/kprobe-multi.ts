import { type Attachable, createLink } from "./create-link.ts";
import { Link } from "./link.ts";

export interface KprobeMultiOptions {
  readonly symbols?: readonly string[];
  /** Addresses, instead of names. */
  readonly addresses?: readonly bigint[];
  /** One for each function. */
  readonly cookies?: readonly bigint[];
  /** At their return. */
  readonly isReturn?: boolean;
}

/** BPF_F_KPROBE_MULTI_RETURN */
const RETURN = 1;

/**
 * Attaches a program, loaded with the attach type `trace_kprobe_multi`, to many kernel functions with one call
 * (Linux 5.18, CONFIG_FPROBE). Throws SystemError. The caller closes the link.
 */
export function attachKprobeMulti(program: Attachable, options: KprobeMultiOptions): Link {
  const { symbols = [], addresses = [], cookies, isReturn = false } = options;
  if (symbols.length > 0 === addresses.length > 0)
    throw new TypeError("Give either symbols or addresses of functions, at least one.");
  const count = symbols.length + addresses.length;
  if (cookies !== undefined && cookies.length !== count)
    throw new RangeError(`There are ${count} functions and ${cookies.length} cookies: each function has one.`);
  const description = `${count} ${isReturn ? "kretprobes" : "kprobes"} (${[...symbols.slice(0, 3)].join(", ")}${symbols.length > 3 ? ", …" : ""})`;
  const bytes = (numbers: readonly bigint[]) => new Uint8Array(BigUint64Array.from(numbers).buffer);
  const link = createLink(program, {
    description,
    attachType: program.spec?.expectedAttachType ?? "trace_kprobe_multi",
    fill: (attr) => {
      attr.u32(16, isReturn ? RETURN : 0).u32(20, count);
      if (symbols.length > 0) attr.cStrings(24, symbols);
      else attr.pointer(32, bytes(addresses));
      if (cookies !== undefined) attr.pointer(40, bytes(cookies));
    },
    hints: {
      3: "One of the functions is not there or cannot be probed (ESRCH): nothing was attached.",
      22: `kprobe.multi needs Linux 5.18 and a program loaded with the attach type trace_kprobe_multi; attach ${count} kprobes instead.`,
      95: `This kernel is built without CONFIG_FPROBE: attach ${count} kprobes instead.`,
    },
  });
  return new Link(description, { link });
}
