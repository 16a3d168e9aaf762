import type { Instruction } from "../../../object/asm/index.ts";
import { brokenRule, gaveUp, parseLog, registerWords } from "../../../object/verifier/index.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { SourceFile } from "../diagnostics/index.ts";
import { NOWHERE, type Span } from "../span.ts";
import { type FunctionCode, type Located, locate } from "./locate.ts";

/** A program that the compiler accepted and the kernel did not. */
export interface Rejection {
  readonly program: string;
  /** What the verifier wrote. */
  readonly log: string;
  /** The program as it was loaded: its own instructions, then those of the functions that it reaches. */
  readonly instructions: readonly Instruction[];
  /** What the compiler knows of the code of each function, by its name. */
  readonly functions?: ReadonlyMap<string, FunctionCode>;
  /** The sources as spans count them. */
  readonly sources: readonly SourceFile[];
  /** The kernel's release, for the report. */
  readonly release?: string;
}

const MOST_BRANCHES = 5;

/**
 * What the verifier said, as a diagnostic at the place in the source: which variable it was about, what was known of it, and
 * the branches on the way there. Of a program that the compiler had accepted it is always the compiler's fault (EB9001), but
 * for those that are too much for the verifier (EB5001).
 */
export function explainRejection({ program, log, instructions, functions, sources, release }: Rejection): Diagnostic {
  const { path, branches, registers, complaints } = parseLog(log);
  const places = locate(instructions, functions ?? new Map(), sources);
  const last = path.at(-1);
  const place = last === undefined ? undefined : places.get(last.slot);
  const rule = brokenRule(complaints);
  const complaint = (rule?.line ?? complaints.at(-1) ?? "it left no reason").trim();
  const named = (text: string, at: Located | undefined) =>
    text.replace(/\b([Rrw])(\d+)\b/g, (word, _, number: string) => {
      const variable = at?.variableIn(Number(number));
      return variable === undefined ? word : `\`${variable}\` (${word})`;
    });
  // What an assignment writes is not what it stumbled over.
  const reads = (last?.text ?? "").replace(/^[rw]\d+ = /, "");
  const used = new Set([...`${reads} ${complaint}`.matchAll(/\b[Rrw](\d+)\b/g)].map(([, n]) => `R${n}`));
  used.delete("R10");
  const known = [...used].flatMap((name) => {
    const state = registers.get(name);
    return state === undefined ? [] : [`${named(name, place)}: ${registerWords(state)}`];
  });
  const complex = gaveUp(complaint);
  const what = named(rule?.what ?? complaint, place);
  return {
    code: complex ? "EB5001" : "EB9001",
    severity: "error",
    message: complex
      ? `\`${program}\` is too much for the kernel's verifier. ${what}`
      : `The kernel refused \`${program}\`, which the compiler had accepted. ${what}`,
    span: place?.span ?? firstSpan(places) ?? NOWHERE,
    why: [`The verifier says: ${complaint}`, ...known].join("\n"),
    help: complex
      ? "Make loops shorter, or give them a limit (`atMost`); fewer branches in a row; move parts into functions."
      : `This is a bug of the compiler, not of the source: please report it with the source, the kernel's release${release === undefined ? "" : ` (${release})`} and the verifier's log.`,
    related: theWayThere(branches, places, named),
  };
}

type Branches = ReturnType<typeof parseLog>["branches"];

function theWayThere(
  branches: Branches,
  places: ReadonlyMap<number, Located>,
  named: (text: string, at: Located | undefined) => string,
): NonNullable<Diagnostic["related"]> {
  const seen = new Set<string>();
  const way: { span: Span; message: string }[] = [];
  // The last ones tell most; a loop takes the same branch many times.
  for (const { slot, condition, taken } of branches.toReversed()) {
    const place = places.get(slot);
    if (place?.span === undefined || way.length === MOST_BRANCHES) continue;
    const message = `${named(condition, place)}: ${taken ? "yes" : "no"}`;
    const key = `${slot} ${taken}`;
    if (seen.has(key)) continue;
    seen.add(key);
    way.push({ span: place.span, message });
  }
  return way.reverse();
}

function firstSpan(places: ReadonlyMap<number, Located>): Span | undefined {
  for (const { span } of places.values()) if (span !== undefined) return span;
  return undefined;
}
