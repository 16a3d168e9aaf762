import { type Btf, FUNCTION_WORDS, LINE_WORDS } from "../../btf/index.ts";
import type { Mark, RawProgram } from "../raw-program.ts";
import type { ObjectFunction } from "./functions.ts";

/**
 * A program: the entry function, then each function that it reaches, where it is first reached, before the one that the
 * caller reaches next; and at the end one that it does not call itself.
 */
export function link(
  entry: ObjectFunction,
  functions: ReadonlyMap<string, ObjectFunction>,
  btf: Btf | undefined,
  last?: ObjectFunction,
): RawProgram {
  if (entry.callees.length === 0 && last === undefined) {
    const { name, words, marks, functions, lines } = entry;
    return { words, marks, starts: [{ slot: 0, name }], functions, lines, btf };
  }
  const parts: ObjectFunction[] = [];
  const starts = new Map<string, number>();
  let slots = 0;
  const add = (one: ObjectFunction): void => {
    starts.set(one.name, slots);
    parts.push(one);
    slots += one.slots;
    for (const name of one.callees) {
      const callee = functions.get(name);
      if (callee !== undefined && !starts.has(name)) add(callee);
    }
  };
  add(entry);
  if (last !== undefined && !starts.has(last.name)) add(last);
  const words = new Uint32Array(slots * 2);
  const marks: Mark[] = [];
  for (const part of parts) {
    const start = starts.get(part.name) as number;
    words.set(part.words, start * 2);
    for (const mark of part.marks)
      marks.push(start === 0 ? mark : { slot: start + mark.slot, instruction: mark.instruction });
  }
  for (const { slot, instruction } of marks) {
    const target = instruction.target === undefined ? undefined : starts.get(instruction.target);
    if (target !== undefined) words[slot * 2 + 1] = target - slot - 1;
  }
  const shifted = (records: "functions" | "lines", width: number): Uint32Array => {
    const all = new Uint32Array(parts.reduce((sum, part) => sum + part[records].length, 0));
    let end = 0;
    for (const part of parts) {
      all.set(part[records], end);
      const start = starts.get(part.name) as number;
      for (let i = end; i < end + part[records].length; i += width) all[i] = (all[i] as number) + start;
      end += part[records].length;
    }
    return all;
  };
  return {
    words,
    marks,
    starts: Array.from(starts, ([name, slot]) => ({ slot, name })),
    functions: shifted("functions", FUNCTION_WORDS),
    lines: shifted("lines", LINE_WORDS),
    btf,
  };
}
