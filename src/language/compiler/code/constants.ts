import type { Inst } from "../ssa/ir.ts";
import type { Constant } from "./machine.ts";

/** Whether a number can stand in the immediate of an instruction that works in 64 bits (32 bits, sign-extended). */
export function fitsImmediate(value: bigint): boolean {
  return value >= -0x8000_0000n && value <= 0x7fff_ffffn;
}

/** Whether a number fits the offset of a load or store. */
export function fitsOffset(value: number): boolean {
  return (value << 16) >> 16 === value;
}

/** The constants of a function, each once. */
export class Constants {
  readonly #ints = new Map<bigint, Constant>();
  readonly #others = new Map<string, Constant>();

  /** The number, as 64 bits. */
  int(value: bigint): Constant {
    const signed = BigInt.asIntN(64, value);
    let constant = this.#ints.get(signed);
    if (constant === undefined) {
      constant = { kind: "int", value: signed, offset: 0, slot: undefined, name: "" };
      this.#ints.set(signed, constant);
    }
    return constant;
  }

  /** What an instruction gives, `add` bytes further on, when that is a constant. */
  of(inst: Inst, add = 0): Constant | undefined {
    switch (inst.op) {
      case "const":
        return this.int(inst.imm + BigInt(add));
      case "slot":
        return this.#other("slot", add, inst);
      case "map":
        return add === 0 ? this.#other("map", 0, inst) : undefined;
      case "global":
        return this.#other("mapValue", Number(inst.imm) + add, inst);
      case "function":
        return add === 0 ? this.#other("function", 0, inst) : undefined;
      case "offset": {
        const distance = inst.args[1] as Inst;
        if (distance.op !== "const") return undefined;
        const value = BigInt.asIntN(64, distance.imm);
        return fitsImmediate(value) ? this.of(inst.args[0] as Inst, add + Number(value)) : undefined;
      }
      default:
        return undefined;
    }
  }

  #other(kind: "slot" | "map" | "mapValue" | "function", offset: number, inst: Inst): Constant {
    const name = inst.callee?.name ?? inst.name;
    const key = `${kind} ${kind === "slot" ? inst.slot?.id : name} ${offset}`;
    let constant = this.#others.get(key);
    if (constant === undefined) {
      constant = { kind, value: 0n, offset, slot: inst.slot, name };
      this.#others.set(key, constant);
    }
    return constant;
  }

  /** The address of a piece of stack that the code itself needs. */
  slot(slot: Constant["slot"] & object): Constant {
    return { kind: "slot", value: 0n, offset: 0, slot, name: "" };
  }
}
