import type { Block, Func, Inst } from "./ir.ts";

/** What may be said of a value, behind its instruction. */
export type Note = (inst: Inst) => string | undefined;

/**
 * A function as text, one instruction a line (`--dump=ssa`). `parse` of parse.ts reads it back, but for claims' messages and
 * spans. `note` adds a comment to a value.
 */
export function dump(func: Func, note?: Note): string {
  const lines = [`${func.kind} ${func.name}(${func.params.join(", ")})`];
  for (const slot of func.slots)
    lines.push(`  slot s${slot.id} ${slot.size} align ${slot.align} ${slot.name}`.trimEnd());
  for (const block of func.blocks) lines.push(...dumpBlock(block, note));
  return `${lines.join("\n")}\n`;
}

function dumpBlock(block: Block, note: Note | undefined): string[] {
  const from = block.preds.length === 0 ? "" : ` <- ${block.preds.map(label).join(", ")}`;
  const depth = block.loopDepth === 0 ? "" : ` loop ${block.loopDepth}`;
  const lines = [`${label(block)}:${from}${depth}`];
  const all = [...block.phis, ...block.insts];
  if (block.end !== undefined) all.push(block.end);
  for (const inst of all) {
    const text = dumpInst(inst);
    const said = note?.(inst);
    lines.push(said === undefined ? `  ${text}` : `  ${text.padEnd(44)} ; ${said}`);
  }
  if (block.end === undefined) lines.push("  (no end)");
  return lines;
}

function label(block: Block): string {
  return `b${block.id}`;
}

function value(inst: Inst | undefined): string {
  return inst === undefined ? "?" : `v${inst.id}`;
}

/** One instruction as text. */
export function dumpInst(inst: Inst): string {
  const args = inst.args.map(value).join(", ");
  switch (inst.op) {
    case "jump":
      return `jump ${inst.succs.map(label).join(", ")}`;
    case "branch":
      return `branch ${inst.condition} ${args} ? ${inst.succs.map(label).join(" : ")}`;
    case "return":
      return `return ${args}`;
    case "store":
      return `store${inst.size} ${value(inst.args[0])}${distance(inst.imm)}, ${value(inst.args[1])}`;
    default:
      return `${value(inst)}${inst.variable === undefined ? "" : ` ${inst.variable}`} = ${operation(inst, args)}${typed(inst)}`;
  }
}

function typed(inst: Inst): string {
  return inst.kind === "scalar" ? "" : ` : ${inst.kind}${inst.nullable ? "?" : ""}`;
}

function distance(imm: bigint): string {
  return imm === 0n ? "" : imm < 0n ? ` - ${-imm}` : ` + ${imm}`;
}

function operation(inst: Inst, args: string): string {
  switch (inst.op) {
    case "const":
      return `const ${inst.imm}`;
    case "param":
      return `param ${inst.imm}`;
    case "slot":
      return `slot s${inst.slot?.id ?? "?"}`;
    case "map":
      return `map ${inst.name}`;
    case "global":
      return `global ${inst.name}${distance(inst.imm)}`;
    case "function":
      return `function ${inst.callee?.name ?? "?"}`;
    case "load":
    case "kload":
      return `${inst.op}${inst.size}${inst.signed ? "s" : ""} ${value(inst.args[0])}${distance(inst.imm)}`;
    case "zext":
    case "sext":
    case "bswap":
      return `${inst.op}${inst.size} ${args}`;
    case "atomic":
      return `atomic${inst.size} ${inst.atomic} ${value(inst.args[0])}${distance(inst.imm)}, ${inst.args.slice(1).map(value).join(", ")}`;
    case "bound":
      return `bound ${args} < ${inst.imm}`;
    case "fits":
      return `fits${inst.size}${inst.signed ? "s" : ""} ${args}`;
    case "call":
      return call(inst, args);
    default:
      return `${inst.op} ${args}`;
  }
}

function call(inst: Inst, args: string): string {
  const { callee } = inst;
  if (callee === undefined) return `call ? (${args})`;
  const id = callee.kind === "helper" ? `#${callee.id}` : "";
  const traits = [
    callee.pure === true ? " pure" : "",
    callee.reads === undefined ? "" : ` reads ${callee.reads.join(" ")}`,
    callee.writes === undefined ? "" : ` writes ${callee.writes.join(" ")}`,
    callee.returnsNothing === true ? " nothing" : "",
    callee.takes === true ? " takes" : "",
    callee.givesBack === true ? " gives back" : "",
  ].join("");
  return `call ${callee.kind} ${callee.name}${id}(${args})${traits}`;
}
