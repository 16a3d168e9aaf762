import type { Btf, BtfType } from "../../object/btf/index.ts";
import { kernelSince, moduleBtf } from "../sys/index.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { globMatcher } from "./glob.ts";
import { expectOneEach, MultiLink, someOf } from "./multi-link.ts";
import { traceableFunctions } from "./traceable-functions.ts";
import { TracepointError } from "./tracefs.ts";
import { wordBytes } from "./words.ts";

/** Which functions `attachTracingMulti` attaches to: names or patterns. */
export interface TracingMultiOptions {
  /** Functions by name. */
  readonly symbols?: readonly string[];
  /** All functions that fit one of these, instead of names, and that such programs can be attached to. */
  readonly pattern?: string | readonly string[];
  /** The module that they are in, which the program was loaded for (`SEC("fentry.multi/MODULE:…")`); the kernel itself when left out. */
  readonly module?: string;
  /** One for each function; not for patterns. */
  readonly cookies?: readonly bigint[];
}

/** The kernel's limits for what it calls a program at. */
const MOST_ARGUMENTS = 12;
const MOST_ARGUMENT_BYTES = 16;

/**
 * Attaches a program of type `tracing`, loaded with the attach type `trace_fentry_multi`, `trace_fexit_multi` or
 * `trace_fsession_multi` (`SEC("fentry.multi")` and so on, Linux 7.2), to many functions of the kernel with one call. Throws
 * TracepointError (a function is not there or cannot be attached to, nothing fits the pattern), SystemError. The caller closes
 * the link.
 */
export function attachTracingMulti(program: Attachable, options: TracingMultiOptions): MultiLink {
  const { symbols, pattern, module = "vmlinux", cookies } = options;
  if ((symbols === undefined || symbols.length === 0) === (pattern === undefined))
    throw new TypeError("Give either symbols or a pattern of functions, at least one.");
  const btf = moduleBtf(module);
  const found = pattern === undefined ? named(btf, symbols ?? [], module) : matching(btf, pattern, module);
  const names = [...found.values()];
  expectOneEach(names.length, "function", { cookies });
  const attachType = program.spec?.expectedAttachType ?? "trace_fentry_multi";
  const description = `${attachType} of ${names.length} functions (${someOf(names)})`;
  const link = createLink(program, {
    description,
    attachType,
    fill: (attr) => {
      attr.pointer(16, new Uint8Array(Uint32Array.from(found.keys()).buffer)).u32(32, names.length);
      if (cookies !== undefined) attr.pointer(24, wordBytes(cookies));
    },
    hints: {
      22:
        kernelSince("Programs for many functions (fentry.multi)", "7.2") ??
        "One of the functions cannot be attached to, or the program was not loaded with an attach type for many.",
    },
  });
  return new MultiLink(description, { link }, names);
}

/** The ids of functions in the order of their names. */
function named(btf: Btf, symbols: readonly string[], module: string): ReadonlyMap<number, string> {
  const ids = symbols.map((name) => functionOf(btf, name));
  const missing = symbols.filter((_, i) => ids[i] === undefined);
  if (missing.length > 0)
    throw new TracepointError(
      `The types of ${module} have no function ${missing.join(", ")}: it was renamed, inlined or not built in.`,
    );
  const unfit = symbols.filter((_, i) => !isTraceable(btf, ids[i] as number));
  if (unfit.length > 0)
    throw new TracepointError(
      `Programs cannot be attached to ${unfit.join(", ")}: it has more than ${MOST_ARGUMENTS} arguments, a variable number of them, or some that are too large.`,
    );
  return new Map(symbols.map((name, i) => [ids[i] as number, name]));
}

function matching(btf: Btf, pattern: string | readonly string[], module: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { name } of traceableFunctions(globMatcher(pattern)).functions) {
    const id = functionOf(btf, name);
    if (id !== undefined && isTraceable(btf, id)) found.set(id, name);
  }
  if (found.size > 0) return found;
  throw new TracepointError(
    `No function of ${module} that programs can be attached to fits ${[pattern].flat().join(", ")}: it must be in available_filter_functions of tracefs and in the types (skep btf find NAME).`,
  );
}

/** A function of these types themselves: a module's go on from the kernel's. */
function functionOf(btf: Btf, name: string): number | undefined {
  return btf.findAll(name, "function").find((id) => id >= btf.firstId);
}

function isTraceable(btf: Btf, id: number): boolean {
  const type = btf.type(id);
  const prototype = type.kind === "function" ? btf.type(type.type) : type;
  if (prototype.kind !== "prototype" || prototype.parameters.length > MOST_ARGUMENTS) return false;
  const { kind } = resolved(btf, prototype.result);
  return (
    kind !== "struct" &&
    kind !== "union" &&
    // The last one of a variable number has no type.
    prototype.parameters.every((parameter) => {
      if (parameter.type === 0) return false;
      return isPassed(resolved(btf, parameter.type)) && btf.sizeOf(parameter.type) <= MOST_ARGUMENT_BYTES;
    })
  );
}

const PASSED: ReadonlySet<BtfType["kind"]> = new Set(["int", "enum", "enum64", "pointer", "struct", "union"]);
const isPassed = ({ kind }: BtfType) => PASSED.has(kind);
const resolved = (btf: Btf, id: number) => btf.type(btf.resolve(id));
