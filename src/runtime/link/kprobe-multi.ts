import { kernelSince } from "../sys/index.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { globMatcher } from "./glob.ts";
import { expectOneEach, isSession, MultiLink, someOf } from "./multi-link.ts";
import { traceableFunctions } from "./traceable-functions.ts";
import { TracepointError } from "./tracefs.ts";
import { wordBytes } from "./words.ts";

/** Which functions `attachKprobeMulti` attaches to: names, addresses or patterns. */
export interface KprobeMultiOptions {
  readonly symbols?: readonly string[];
  /** Addresses, instead of names. */
  readonly addresses?: readonly bigint[];
  /**
   * All functions that fit one of these, instead of names: `vfs_*`, `tcp_v[46]_connect`. Only such as can be probed (tracefs says
   * which). Take care with `*`: it is tens of thousands.
   */
  readonly pattern?: string | readonly string[];
  /** One for each function; not for patterns. */
  readonly cookies?: readonly bigint[];
  /** At their return. */
  readonly isReturn?: boolean;
}

/** BPF_F_KPROBE_MULTI_RETURN */
const RETURN = 1;

/**
 * Attaches a program to many kernel functions with one call: one loaded with the attach type `trace_kprobe_multi` (Linux 5.18,
 * CONFIG_FPROBE), or with `trace_kprobe_session` (Linux 6.10), which runs at the function's beginning and, when it returned 0
 * there, at its end; `bpf_session_is_return` tells which, `bpf_session_cookie` is a word that both share.
 *
 * Throws SystemError, TracepointError (nothing fits the pattern, or no tracefs). The caller closes the link.
 */
export function attachKprobeMulti(program: Attachable, options: KprobeMultiOptions): MultiLink {
  const { pattern, cookies, isReturn = false } = options;
  const ways = [options.symbols, options.addresses, pattern].filter((one) => one !== undefined && one.length > 0);
  if (ways.length !== 1) throw new TypeError("Give either symbols, addresses or a pattern of functions, at least one.");
  const both = isSession(program, "kprobe", isReturn);
  const matched = pattern === undefined ? undefined : matching(pattern);
  const { symbols = [] } = options;
  const addresses = matched?.functions.map(({ address }) => address) ?? options.addresses ?? [];
  const names = matched?.functions.map(({ name }) => name) ?? symbols;
  const count = symbols.length + addresses.length;
  expectOneEach(count, "function", { cookies });
  const kind = both ? "kprobe sessions" : isReturn ? "kretprobes" : "kprobes";
  const description = `${count} ${kind} (${someOf(names)})`;
  const link = createLink(program, {
    description,
    attachType: program.spec?.expectedAttachType ?? "trace_kprobe_multi",
    fill: (attr) => {
      attr.u32(16, isReturn ? RETURN : 0).u32(20, count);
      if (symbols.length > 0) attr.cStrings(24, symbols);
      else attr.pointer(32, wordBytes(addresses));
      if (cookies !== undefined) attr.pointer(40, wordBytes(cookies));
    },
    hints: {
      3: "One of the functions is not there or cannot be probed (ESRCH): nothing was attached.",
      22:
        (both ? kernelSince("kprobe.session", "6.10") : undefined) ??
        `kprobe.multi needs Linux 5.18, a program loaded with the attach type trace_kprobe_multi, and functions that can be probed; else attach ${count} kprobes instead.`,
      95: `This kernel is built without CONFIG_FPROBE: attach ${count} kprobes instead.`,
    },
  });
  return new MultiLink(description, { link }, names, matched?.unclear);
}

function matching(pattern: string | readonly string[]) {
  const found = traceableFunctions(globMatcher(pattern));
  if (found.functions.length > 0) return found;
  const what = [pattern].flat().join(", ");
  throw new TracepointError(
    found.unclear.length > 0
      ? `What fits ${what} (${found.unclear.slice(0, 5).join(", ")}) are names that several functions of this kernel have, not all of which can be probed: attach a kprobe by its address.`
      : `No function of this kernel that can be probed fits ${what}: grep it in available_filter_functions of tracefs. Some are inlined, or have a suffix (name.isra.0): end the pattern with *.`,
  );
}
