import { dump } from "../ssa/dump.ts";
import type { Func } from "../ssa/ir.ts";
import { type Known, Ranges } from "./analysis.ts";
import { ANY, equal, rangeText } from "./range.ts";
import { tripCount } from "./trip-count.ts";

/** A function as text, with what its numbers may be and what the kernel sees of it (`--dump=ranges`). */
export function dumpRanges(func: Func): string {
  const ranges = new Ranges(func);
  const text = dump(func, (inst) => {
    if (inst.kind !== "scalar" || inst.op === "const" || inst.op === "store" || inst.succs.length > 0) return undefined;
    if (inst.op === "return") return undefined;
    return ranges.kernelReaches(inst.block) ? note(ranges.at(inst, inst.block)) : "never";
  });
  const loops = ranges.loops.map((loop) => `loop b${loop.head.id}: at most ${tripCount(loop, ranges) ?? "?"} turns\n`);
  return text + loops.join("");
}

function note({ kernel, exact }: Known): string {
  const said = exact === undefined ? "never" : equal(exact, ANY) ? "any" : rangeText(exact);
  const seen = equal(kernel, ANY) ? "any" : rangeText(kernel);
  return said === seen ? said : `${said}, kernel: ${seen}`;
}
