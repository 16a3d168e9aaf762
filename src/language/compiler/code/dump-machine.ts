import { Alu, Class, Mode } from "../../../object/asm/index.ts";
import type { Constant, MachineBlock, MachineFunction, MachineInst, Operand } from "./machine.ts";
import { NONE } from "./machine.ts";

/** Bits that loads and stores move, by bits 3 and 4 of their opcode. */
const WIDTHS = [32, 16, 8, 64] as const;
const OPERATIONS = new Map(Object.entries(Alu).map(([name, code]) => [code as number, name.toLowerCase()]));

/**
 * A function in machine form as text (`--dump=mir`): the machine's instructions before registers are given out. `%n` are virtual
 * registers, each written once; `r1` … are the machine's own, where calls want them.
 */
export function dumpMachine({ name, blocks, variables }: MachineFunction): string {
  const lines = [`${name}:`];
  const named = (vreg: number) => {
    const variable = variables[vreg];
    return variable === undefined ? `%${vreg}` : `%${vreg} ${variable}`;
  };
  for (const block of blocks) {
    const from = block.preds.length === 0 ? "" : ` <- ${block.preds.map(label).join(", ")}`;
    lines.push(`${label(block)}:${from}${block.loopDepth === 0 ? "" : ` loop ${block.loopDepth}`}`);
    for (const { dst, inputs } of block.phis)
      lines.push(`  ${named(dst)} = phi ${inputs.map((input) => operand(input)).join(", ")}`);
    for (const inst of block.insts) {
      const text = instruction(inst, block);
      lines.push(`  ${inst.dst === NONE ? text : `${named(inst.dst)} = ${text}`}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function label({ id }: MachineBlock): string {
  return `b${id}`;
}

function instruction(inst: MachineInst, { succs }: MachineBlock): string {
  const { form, a, b, imm, operands } = inst;
  switch (form) {
    case "alu": {
      const first = inst.constant === undefined ? value(a) : constant(inst.constant);
      const second = b === NONE ? String(imm) : value(b);
      return `${operation(inst)} ${isUnary(inst) ? first : `${first}, ${second}`}`;
    }
    case "move":
      return `${operation(inst)} ${value(b)}`;
    case "constant":
      return inst.constant === undefined ? "?" : constant(inst.constant);
    case "load":
      return `load${width(inst)} ${memory(inst)}`;
    case "store":
      return `store${width(inst)} ${memory(inst)}, ${value(b)}`;
    case "storeImm":
      return `store${width(inst)} ${memory(inst)}, ${imm}`;
    case "atomic":
    case "fetch":
      return `${form}${width(inst)} 0x${imm.toString(16)} ${memory(inst)}, ${value(b)}`;
    case "call":
      return `call ${inst.callee?.name ?? "?"}(${operands.map(operand).join(", ")})`;
    case "fromRegister":
      return `r${imm}`;
    case "toRegister":
      return `r${imm} = ${operands.map(operand).join(", ")}`;
    case "branch":
      return `branch${(inst.opcode & 7) === Class.JMP32 ? "32" : ""} ${value(a)} ${inst.condition} ${b === NONE ? imm : value(b)} ? ${succs.map(label).join(" : ")}`;
    case "jump":
      return `jump ${succs.map(label).join(", ")}`;
    case "return":
      return `return ${operands.map(operand).join(", ")}`;
  }
}

/** `add`, `add32`, `mov8` (which extends the sign of 8 bits), `end16`. */
function operation({ opcode, offset, imm, form }: MachineInst): string {
  const code = opcode & 0xf0;
  const name = OPERATIONS.get(code) ?? `op 0x${opcode.toString(16)}`;
  if (code === Alu.END) return `${name}${imm}`;
  const isNarrow = (opcode & 7) === Class.ALU;
  const signed = offset !== 0 && (code === Alu.DIV || code === Alu.MOD) ? "s" : "";
  return `${signed}${name}${form === "move" && offset !== 0 ? `sx${offset}` : isNarrow ? "32" : ""}`;
}

function isUnary({ opcode }: MachineInst): boolean {
  return (opcode & 0xf0) === Alu.NEG || (opcode & 0xf0) === Alu.END;
}

function width({ opcode, form }: MachineInst): string {
  const bits = String(WIDTHS[(opcode >> 3) & 3]);
  return form === "load" && (opcode & 0xe0) === Mode.MEMSX ? `${bits}s` : bits;
}

function memory({ a, slot, offset }: MachineInst): string {
  return `[${slot === undefined ? value(a) : slotName(slot)}${distance(offset)}]`;
}

function slotName({ id, name }: { readonly id: number; readonly name: string }): string {
  return name === "" ? `slot ${id}` : `slot ${id} ${name}`;
}

function value(vreg: number): string {
  return vreg === NONE ? "?" : `%${vreg}`;
}

function operand({ vreg, add, constant: known }: Operand): string {
  return known === undefined ? `${value(vreg)}${distance(add)}` : constant(known);
}

function constant({ kind, value: number, offset, slot, name }: Constant): string {
  switch (kind) {
    case "int":
      return String(number);
    case "slot":
      return `&${slot === undefined ? "?" : slotName(slot)}${distance(offset)}`;
    case "map":
      return `map ${name}`;
    case "mapValue":
      return `&${name}${distance(offset)}`;
    case "function":
      return `&${name}()`;
  }
}

function distance(bytes: number): string {
  return bytes === 0 ? "" : bytes < 0 ? ` - ${-bytes}` : ` + ${bytes}`;
}
