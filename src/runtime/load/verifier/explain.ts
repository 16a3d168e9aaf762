import { type Instruction, type SourceLine, slotsOf } from "../../../object/asm/index.ts";
import { accessText, type Btf } from "../../../object/btf/index.ts";
import { POISON } from "../../../object/spec/index.ts";
import { brokenRule, parseLog, registerWords } from "../../../object/verifier/index.ts";
import { KFUNC_POISON } from "../externs.ts";

/** Why the verifier refused, as far as it can be told. */
export interface Explanation {
  /** What is wrong and what to do, in sentences; undefined where the log's words are not known. */
  readonly what?: string;
  readonly mend?: string;
  /** The line it stopped at. */
  readonly source?: SourceLine;
  /** The function that line is in. */
  readonly function?: string;
  /** What was known of the registers that the instruction uses, in words. */
  readonly registers: readonly { readonly name: string; readonly state: string; readonly words: string }[];
  /** The branches on the path to it, the last one last, with the source lines they are in. */
  readonly path: readonly { readonly condition: string; readonly taken: boolean; readonly source?: SourceLine }[];
}

const MOST_BRANCHES = 8;

/** Explains a log by the program it is about; `btf` is the object's, for what relocations stand for. */
export function explain(log: string, instructions: readonly Instruction[], btf: Btf | undefined): Explanation {
  const { path, branches, registers, complaints } = parseLog(log);
  const places = placesOf(instructions);
  const last = path.at(-1);
  const place = last === undefined ? undefined : places.get(last.slot);
  const missing = place === undefined ? undefined : whatIsMissing(place.instruction, btf);
  const rule = missing ?? brokenRule(complaints);
  const text = `${last?.text ?? ""} ${rule !== undefined && "line" in rule ? rule.line : ""}`;
  const used = [...new Set([...text.matchAll(/\b[rR](\d+)\b/g)].map(([, n]) => `R${n}`))].filter(
    (name) => name !== "R10",
  );
  return {
    ...(rule !== undefined && { what: rule.what, mend: rule.mend }),
    ...(place?.source !== undefined && { source: place.source }),
    ...(place !== undefined && { function: place.function }),
    registers: used.flatMap((name) => {
      const state = registers.get(name);
      return state === undefined ? [] : [{ name, state, words: registerWords(state) }];
    }),
    path: branches.slice(-MOST_BRANCHES).map(({ slot, condition, taken }) => {
      const source = places.get(slot)?.source;
      return { condition, taken, ...(source !== undefined && { source }) };
    }),
  };
}

interface Place {
  readonly instruction: Instruction;
  readonly source: SourceLine | undefined;
  readonly function: string;
}

/** Each instruction by its slot, with the line it belongs to: lines begin at an instruction and go on. */
function placesOf(instructions: readonly Instruction[]): ReadonlyMap<number, Place> {
  const places = new Map<number, Place>();
  let slot = 0;
  let source: SourceLine | undefined;
  let name = "";
  for (const instruction of instructions) {
    // Line 0 stands for code that the compiler made up: the line before goes on.
    if (instruction.source !== undefined && instruction.source.line > 0) source = instruction.source;
    const { label } = instruction;
    if (label !== undefined) name = typeof label === "string" ? label : (label[0] ?? "");
    places.set(slot, { instruction, source, function: name });
    slot += slotsOf(instruction);
  }
  return places;
}

/** What stands for something that the kernel lacks was reached. */
function whatIsMissing(instruction: Instruction, btf: Btf | undefined): { what: string; mend: string } | undefined {
  const { imm, relocation, extern } = instruction;
  if (imm === POISON && relocation !== undefined && btf !== undefined) {
    const what = accessText(btf, relocation);
    return {
      what: `This kernel has no ${what}, and the program reaches where it is used.`,
      mend: relocation.kind.startsWith("field")
        ? "Test for it before: if (bpf_core_field_exists(…)); or find out what this kernel calls it and use a flavour (struct name___old)."
        : "Test for it before: bpf_core_type_exists(), bpf_core_enum_value_exists().",
    };
  }
  if (imm >= KFUNC_POISON && extern !== undefined) {
    return {
      what: `This kernel has no function ${extern}, and the program reaches where it is called.`,
      mend: `Test for it before: if (bpf_ksym_exists(${extern})).`,
    };
  }
  return undefined;
}

/** The explanation as text, a paragraph with the source line under it. */
export function explanationText({ what, mend, source, function: name, registers, path }: Explanation): string {
  const lines: string[] = [];
  if (what !== undefined) lines.push(`  what: ${what}`);
  if (mend !== undefined) lines.push(`  mend: ${mend}`);
  if (source !== undefined) lines.push(`  at:   ${placeText(source)}, in ${name}`, `        ${source.text.trim()}`);
  for (const { name: register, words } of registers)
    lines.push(`  ${register}:${" ".repeat(Math.max(1, 5 - register.length))}${words}`);
  if (path.length > 0) {
    lines.push("  the way there:");
    for (const { condition, taken, source: line } of path) {
      const where = line === undefined ? "" : `  ${placeText(line)}: ${line.text.trim()}`;
      lines.push(`    ${condition} — ${taken ? "yes" : "no"}${where}`);
    }
  }
  return lines.join("\n");
}

function placeText({ file, line }: SourceLine): string {
  return `${file.slice(file.lastIndexOf("/") + 1)}:${line}`;
}
