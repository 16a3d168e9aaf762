import { type Instruction, type SourceLine, slotsOf } from "../../../object/asm/index.ts";
import { type SourceFile, SourceText } from "../diagnostics/index.ts";
import type { Span } from "../span.ts";

/** What the compiler knows of a function's code, an entry for each instruction. */
export interface FunctionCode {
  readonly spans: readonly Span[];
  /** The variable whose value is in a register when an instruction begins; undefined where it is none of the source's. */
  readonly variableIn: (instruction: number, register: number) => string | undefined;
}

/** Where an instruction of a loaded program comes from. */
export interface Located {
  readonly span: Span | undefined;
  readonly variableIn: (register: number) => string | undefined;
}

const nothing = (): undefined => undefined;

/** Each instruction of a program by its slot, as the verifier's log counts them. */
export function locate(
  instructions: readonly Instruction[],
  functions: ReadonlyMap<string, FunctionCode>,
  sources: readonly SourceFile[],
): ReadonlyMap<number, Located> {
  const places = new Map<number, Located>();
  const lines = new LineSpans(sources);
  let slot = 0;
  let code: FunctionCode | undefined;
  let begin = 0;
  let source: SourceLine | undefined;
  for (const [i, instruction] of instructions.entries()) {
    for (const name of [instruction.label ?? []].flat()) {
      const found = functions.get(name);
      if (found === undefined) continue;
      code = found;
      begin = i;
    }
    source = instruction.source ?? source;
    const own = code?.spans[i - begin];
    const index = i - begin;
    const { variableIn } = code ?? {};
    places.set(slot, {
      // Glue of the compiler's own stands nowhere: the line that it belongs to is told by the line info.
      span: own !== undefined && own.file >= 0 ? own : source === undefined ? undefined : lines.spanOf(source),
      variableIn: variableIn === undefined ? nothing : (register) => variableIn(index, register),
    });
    slot += slotsOf(instruction);
  }
  return places;
}

/** Spans of lines that are known by file and number only, as BTF's line info has them. */
class LineSpans {
  readonly #sources: readonly SourceFile[];
  readonly #texts = new Map<string, { readonly file: number; readonly text: SourceText } | undefined>();

  constructor(sources: readonly SourceFile[]) {
    this.#sources = sources;
  }

  spanOf({ file, line, column }: SourceLine): Span | undefined {
    const found = this.#textOf(file);
    if (found === undefined || line < 1) return undefined;
    const start = found.text.offsetOf(line);
    if (start === undefined) return undefined;
    const text = found.text.line(line);
    const from = column > 1 && column <= text.length ? column - 1 : text.length - text.trimStart().length;
    return { file: found.file, start: start + from, end: start + text.trimEnd().length };
  }

  #textOf(name: string): { readonly file: number; readonly text: SourceText } | undefined {
    if (!this.#texts.has(name)) {
      const file = this.#sources.findIndex((source) => source.name === name);
      const source = this.#sources[file];
      this.#texts.set(name, source === undefined ? undefined : { file, text: new SourceText(source) });
    }
    return this.#texts.get(name);
  }
}
