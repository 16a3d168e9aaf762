import type { DoctorReport, FactCheck, Feature, HelperFeature, Verdict } from "../report.ts";
import { type Paint, paint, wrap } from "./paint.ts";

/** How `formatReport` writes. */
export interface TextOptions {
  readonly colour: boolean;
  /** Columns; longer text is wrapped at blanks. */
  readonly width: number;
  /** Names every helper with the kinds of program that may call it. */
  readonly allHelpers: boolean;
}

const MARK = 10;
const GROUPS: Readonly<Record<FactCheck["group"], string>> = {
  process: "This process",
  kernel: "This kernel",
  mounts: "File systems",
};
const STATUS_WORD = { supported: "yes", unsupported: "no", refused: "refused", unknown: "unknown" } as const;

/** The report for people: the verdict first, then what it rests on, section by section. */
export function formatReport(report: DoctorReport, options: TextOptions): string {
  const c = paint(options.colour);
  const view = new TextView(c, options.width);
  const skep = report.skep === undefined ? "skep" : `skep ${report.skep}`;
  view.line(`${c.bold(skep)} on Linux ${report.environment.release} ${report.environment.arch}, node ${report.node}`);
  view.line("");
  for (const verdict of report.verdicts) view.verdict(verdict);
  for (const [group, title] of Object.entries(GROUPS)) {
    const facts = report.facts.filter((fact) => fact.group === group);
    view.heading(title);
    const pad = Math.max(...facts.map(({ name }) => name.length)) + 2;
    for (const fact of facts) view.fact(fact, pad);
  }
  if (report.native.problem !== undefined) return view.text();
  view.detailed("Attach kinds", report.attachKinds);
  view.listed("Program types", report.programTypes);
  view.listed("Map types", report.mapTypes);
  view.listed("Verifier and instruction set", report.verifier);
  if (options.allHelpers) view.helpers(report.helpers);
  else view.listed("Helpers (--all for every one)", report.helpers);
  return view.text();
}

class TextView {
  readonly #c: Paint;
  readonly #width: number;
  readonly #lines: string[] = [];
  readonly #mended = new Set<string>();

  constructor(c: Paint, width: number) {
    this.#c = c;
    this.#width = Math.max(60, width);
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  line(text: string): void {
    this.#lines.push(text);
  }

  heading(title: string): void {
    this.line("");
    this.line(this.#c.bold(title));
  }

  verdict(verdict: Verdict): void {
    const c = this.#c;
    const [colour, word] = {
      works: [c.green, "works"] as const,
      limited: [c.yellow, "limited"] as const,
      fails: [c.red, "fails"] as const,
    }[verdict.status];
    this.#row(colour(word.padEnd(MARK)), MARK, verdict.summary, c.bold, verdict.name);
    for (const problem of verdict.problems) this.#indented(problem, MARK);
    for (const mend of verdict.mend) {
      if (!this.#mended.has(mend)) this.#mend(mend, MARK);
      this.#mended.add(mend);
    }
  }

  fact(fact: FactCheck, pad: number): void {
    const c = this.#c;
    const colour = { good: c.green, bad: c.red, note: c.plain, unknown: c.yellow }[fact.verdict];
    const word = { good: "ok", bad: "bad", note: "", unknown: "unknown" }[fact.verdict];
    const lead = `  ${colour(word.padEnd(MARK - 2))}${fact.name.padEnd(pad)}`;
    this.#row(lead, MARK + pad, fact.value);
    if (fact.verdict !== "good" && fact.consequence !== undefined) this.#indented(fact.consequence, MARK + pad, c.dim);
    if (fact.mend !== undefined) this.#mend(fact.mend, MARK + pad);
  }

  /** A row for each feature that works, with what it is for, and one for each that does not, with why. */
  detailed(title: string, features: readonly Feature[]): void {
    this.#section(title, features);
    const pad = Math.max(...features.map(({ name }) => name.length)) + 2;
    for (const feature of features) {
      if (feature.status === "supported") {
        this.#row(`${this.#lead(feature)}${feature.name.padEnd(pad)}`, MARK + pad, feature.consequence ?? "");
      }
    }
    for (const group of failing(features)) this.#failing(group, group.length === 1 ? pad : 0);
  }

  /** The names of what works in one paragraph, and a row for each group that does not for one reason. */
  listed(title: string, features: readonly Feature[]): void {
    this.#section(title, features);
    const able = features.filter(({ status }) => status === "supported");
    if (able[0] !== undefined) this.#row(this.#lead(able[0]), MARK, joinNames(able));
    for (const group of failing(features)) this.#failing(group, 0);
  }

  /** Every helper with the programs that may call it. */
  helpers(helpers: readonly HelperFeature[]): void {
    this.#section("Helpers, with the programs that may call them", helpers);
    const pad = Math.max(...helpers.map(({ name }) => name.length)) + 2;
    for (const helper of helpers) {
      if (helper.status !== "supported") continue;
      this.#row(`${this.#lead(helper)}${helper.name.padEnd(pad)}`, MARK + pad, helper.programs.join(" "));
    }
    for (const group of failing(helpers)) this.#failing(group, 0);
  }

  #section(title: string, features: readonly Feature[]): void {
    const able = features.filter(({ status }) => status === "supported").length;
    this.heading(title);
    this.#lines.push(`${this.#lines.pop()} ${this.#c.dim(`${able} of ${features.length}`)}`);
  }

  #lead({ status }: Feature): string {
    const c = this.#c;
    const colour = { supported: c.green, unsupported: c.red, refused: c.red, unknown: c.yellow }[status];
    return `  ${colour(STATUS_WORD[status].padEnd(MARK - 2))}`;
  }

  /** Features that fail for one reason: in the column of names when `pad` says how wide it is, else in a line before. */
  #failing(group: readonly [Feature, ...Feature[]], pad: number): void {
    const [first] = group;
    const indent = MARK + pad;
    if (pad > 0) this.#row(`${this.#lead(first)}${first.name.padEnd(pad)}`, indent, reasonOf(first));
    else {
      this.#row(this.#lead(first), MARK, joinNames(group));
      this.#indented(reasonOf(first), indent, this.#c.dim);
    }
    // The reason of a refusal says what to do; what to use instead matters only where nothing can be done.
    const curable = first.status === "refused" && first.mend !== undefined;
    for (const { name, consequence } of group) {
      if (consequence === undefined || curable) continue;
      this.#indented(group.length === 1 ? consequence : `${name}: ${consequence}`, indent, this.#c.dim);
    }
    if (first.mend !== undefined && !curable) this.#mend(first.mend, indent);
  }

  #mend(text: string, indent: number): void {
    this.#row(`${" ".repeat(indent)}${this.#c.cyan("→ ")}`, indent + 2, text);
  }

  #indented(text: string, indent: number, colour: (text: string) => string = this.#c.plain): void {
    for (const line of wrap(text, this.#width - indent)) this.line(`${" ".repeat(indent)}${colour(line)}`);
  }

  /** `lead` takes `indent` columns; the rest is wrapped beside it. */
  #row(lead: string, indent: number, text: string, mark?: (text: string) => string, marked = ""): void {
    const [first = "", ...rest] = wrap(text, this.#width - indent);
    const shown = mark !== undefined && first.startsWith(marked) ? mark(marked) + first.slice(marked.length) : first;
    this.line(`${lead}${shown}`.trimEnd());
    for (const line of rest) this.line(`${" ".repeat(indent)}${line}`);
  }
}

/** What does not work; what has the same reason and mend stands together. */
function failing(features: readonly Feature[]): (readonly [Feature, ...Feature[]])[] {
  const groups = new Map<string, [Feature, ...Feature[]]>();
  for (const feature of features) {
    if (feature.status === "supported") continue;
    const key = JSON.stringify([feature.status, reasonOf(feature), feature.mend]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [feature]);
    else group.push(feature);
  }
  return [...groups.values()];
}

/** Names are told apart by what is in none of them. */
function joinNames(features: readonly Feature[]): string {
  const names = features.map(({ name }) => name);
  const has = (text: string) => names.some((name) => name.includes(text));
  return names.join(has(",") ? "; " : has(" ") ? ", " : " ");
}

function reasonOf(feature: Feature): string {
  if (feature.reason !== undefined)
    return feature.error === undefined ? feature.reason : `${feature.error}: ${feature.reason}`;
  const since = feature.since === undefined ? "" : `, in Linux since ${feature.since}`;
  return `Not in this kernel${feature.error === undefined ? "" : ` (${feature.error})`}${since}.`;
}
