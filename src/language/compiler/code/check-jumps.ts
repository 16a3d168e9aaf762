import { type Instruction, Jump, Opcode } from "../../../object/asm/index.ts";
import { negate } from "../ssa/fold.ts";
import type { Stages } from "./emit-function.ts";
import { labelsOf } from "./labels.ts";
import { CodeGenerationError, type MachineBlock } from "./machine.ts";

const CONDITIONS: Readonly<Record<number, string>> = {
  [Jump.JEQ]: "eq",
  [Jump.JNE]: "ne",
  [Jump.JLT]: "ult",
  [Jump.JLE]: "ule",
  [Jump.JGT]: "ugt",
  [Jump.JGE]: "uge",
  [Jump.JSLT]: "slt",
  [Jump.JSLE]: "sle",
  [Jump.JSGT]: "sgt",
  [Jump.JSGE]: "sge",
  [Jump.JSET]: "set",
};

/** Proves that the end of each block leads to the code of the blocks that it should lead to. Throws CodeGenerationError. */
export function checkJumps(stages: Stages): void {
  const labels = new Map<string, number>();
  stages.emission.instructions.forEach((instruction, at) => {
    for (const name of labelsOf(instruction)) labels.set(name, at);
  });
  for (const block of stages.machine.blocks) checkEnd(stages, block, labels);
}

function checkEnd({ emission, machine }: Stages, block: MachineBlock, labels: ReadonlyMap<string, number>): void {
  const code = emission.instructions;
  const fail = (at: number, what: string): never => {
    throw new CodeGenerationError(`${machine.name}, instruction ${at}: ${what}.`);
  };
  if (emission.starts.get(block) === -1 || block.end.form === "return") return;
  const at = (block.end.position >> 1) * 4;
  let next = emission.parts[at + 1] as number;
  const destination = (to: MachineBlock): number => {
    let target = to;
    for (let hops = 0; emission.starts.get(target) === -1; hops++) {
      if (hops > machine.blocks.length) fail(next, "blocks that are left out go in a circle");
      target = target.succs[0] as MachineBlock;
    }
    return emission.starts.get(target) as number;
  };
  const labelled = (label = ""): number => labels.get(label) ?? -1;
  const goesOn = (): number => {
    const jump = code[next] as Instruction;
    return next < (emission.parts[at + 2] as number) && jump.opcode === Opcode.JA ? labelled(jump.target) : next;
  };
  const { end, succs } = block;
  if (end.form === "jump") {
    if (goesOn() !== destination(succs[0] as MachineBlock)) fail(next, "the jump goes elsewhere");
    return;
  }
  const whenTrue = destination(succs[0] as MachineBlock);
  const whenFalse = destination(succs[1] as MachineBlock);
  const branch = code[next] as Instruction;
  if (whenTrue === whenFalse && (emission.parts[at + 1] === emission.parts[at + 2] || branch.opcode === Opcode.JA)) {
    if (goesOn() !== whenTrue) fail(next, "the jump goes elsewhere");
    return;
  }
  const taken = labelled(branch.target);
  next++;
  const condition = CONDITIONS[branch.opcode & 0xf0];
  const [whenHolds, whenNot] = condition === end.condition ? [whenTrue, whenFalse] : [whenFalse, whenTrue];
  if (condition !== end.condition && condition !== negate(end.condition)) fail(next - 1, "it compares otherwise");
  if (taken !== whenHolds || goesOn() !== whenNot) fail(next - 1, "the branch goes elsewhere");
}
