import { disassemble, type Instruction } from "../../object/asm/index.ts";
import { errnoName } from "../sys/index.ts";
import type { Explanation } from "./verifier/explain.ts";

const SHOWN_LINES = 12;

/**
 * The kernel's verifier refused a program. The message shows the instruction it stopped at and the last lines of its
 * log; `log` is the whole log.
 */
export class VerifierError extends Error {
  override readonly name = "VerifierError";
  /** The errno's name, e.g. `EACCES`. */
  readonly code: string;
  readonly errno: number;
  readonly program: string;
  /** The verifier's log as the kernel wrote it. */
  readonly log: string;
  /** Index (in 8-byte slots, as the log counts) of the instruction it stopped at. */
  readonly instruction: number | undefined;
  /** What is wrong, where, and the usual mend; for objects that carry types and line info (`loadObject`). */
  readonly explanation: Explanation | undefined;

  constructor(
    program: string,
    errno: number,
    log: string,
    instructions: readonly Instruction[],
    explained?: { readonly explanation: Explanation; readonly text: string },
  ) {
    const code = errnoName(errno);
    const lines = log.split("\n").filter((line) => line !== "" && !STATISTICS.test(line));
    const at = failingInstruction(lines);
    const shown = lines.slice(-SHOWN_LINES).map((line) => `    ${line}`);
    const what = at === undefined ? "" : `\n  stopped at ${at}: ${instructionText(instructions, at)}`;
    const end = shown.length === 0 ? "" : `\n  the end of its log:\n${shown.join("\n")}`;
    super(
      `The verifier refused program "${program}" (${code}): ${reasonOf(lines) ?? "it left no reason"}${explained === undefined || explained.text === "" ? "" : `\n${explained.text}`}${what}${end}`,
    );
    this.code = code;
    this.errno = errno;
    this.program = program;
    this.log = log;
    this.instruction = at;
    this.explanation = explained?.explanation;
  }
}

/** What it is about: the last line, or since Linux 7 the one that marks the place, which advice follows. */
function reasonOf(lines: readonly string[]): string | undefined {
  const marked = lines.findLast((line) => line.includes(MARK));
  return marked === undefined ? lines.at(-1)?.trim() : marked.slice(marked.indexOf(MARK) + MARK.length);
}

const MARK = "^-- error: ";
const STATISTICS = /^(processed \d+ insns|verification time|stack depth|peak_states)/;

/** The verifier prints `12: (85) call …` before it judges an instruction; the last such line names the culprit. */
function failingInstruction(lines: readonly string[]): number | undefined {
  for (let i = lines.length - 1; i >= 0; i--) {
    const found = /^(\d+): \([0-9a-f]{2}\)/.exec(lines[i] as string);
    if (found !== null) return Number(found[1]);
  }
  return undefined;
}

function instructionText(instructions: readonly Instruction[], slot: number): string {
  let at = 0;
  for (const instruction of instructions) {
    if (at === slot) return disassemble([instruction]).trim();
    at += instruction.imm64 !== undefined || instruction.map !== undefined || instruction.opcode === 0x18 ? 2 : 1;
  }
  return "an instruction outside the program";
}
