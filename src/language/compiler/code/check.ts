import { Alu, Class, type Instruction, Mode, Opcode, Pseudo, Width } from "../../../object/asm/index.ts";
import type { Slot } from "../ssa/ir.ts";
import { checkJumps } from "./check-jumps.ts";
import { equal, meet, OTHER, type State, UNKNOWN, type Value } from "./check-state.ts";
import type { Stages } from "./emit-function.ts";
import { STACK_LIMIT } from "./frame.ts";
import {
  CodeGenerationError,
  type Constant,
  type MachineBlock,
  type MachineInst,
  NONE,
  type Operand,
} from "./machine.ts";
import { bytesOf, SlotAddresses, writtenBy } from "./slot-liveness.ts";

/**
 * Proves, by going through the instructions symbolically, that every operand is where the instruction reads it on every way
 * to it, that every jump goes where its block goes, and that nothing overwrites stack that is in use. It knows nothing of how
 * registers were given: it reads the instructions. Throws CodeGenerationError.
 */
export function checkCode(stages: Stages): void {
  new Checker(stages).run();
}

const MACHINE = "what the machine put there";
const WORD = Mode.MEM | Width.u64;

class Checker {
  readonly #stages: Stages;
  readonly #code: readonly Instruction[];
  readonly #addresses: SlotAddresses;
  /** For each slot, the bytes (from the frame pointer) that something writes as its content. */
  readonly #written = new Map<Slot, Set<number>>();
  #state: State = { values: new Map(), owners: new Int16Array(STACK_LIMIT + 1) };

  constructor(stages: Stages) {
    this.#stages = stages;
    this.#code = stages.emission.instructions;
    this.#addresses = new SlotAddresses(stages.machine);
  }

  run(): void {
    const { blocks } = this.#stages.machine;
    this.#findWritten();
    const entries: (State | undefined)[] = new Array(blocks.length);
    const numbers = new Map(blocks.map((block, i) => [block, i]));
    for (let r = 1; r <= 5; r++) this.#state.values.set(r, new Set([MACHINE]));
    entries[0] = this.#state;
    const work = new Set([0]);
    while (work.size > 0) {
      // In the order of layout each block is gone through seldom.
      const number = Math.min(...work);
      work.delete(number);
      const block = blocks[number] as MachineBlock;
      const entry = entries[number] as State;
      this.#state = { values: new Map(entry.values), owners: entry.owners.slice() };
      this.#block(block);
      for (const succ of block.succs) {
        const arriving = this.#across(block, succ);
        const at = numbers.get(succ) as number;
        const before = entries[at];
        const merged = before === undefined ? arriving : meet(before, arriving);
        if (before !== undefined && equal(before, merged)) continue;
        entries[at] = merged;
        work.add(at);
      }
    }
    checkJumps(this.#stages);
  }

  #fail(at: number, what: string): never {
    throw new CodeGenerationError(`${this.#stages.machine.name}, instruction ${at}: ${what}.`);
  }

  #block(block: MachineBlock): void {
    const { emission } = this.#stages;
    const { parts } = emission;
    const [pred] = block.preds;
    const movesAtStart = pred !== undefined && pred.succs.length > 1;
    if (emission.starts.get(block) === -1) {
      if (movesAtStart) this.#state = this.#namePhis(block, 0);
      return;
    }
    const first = (block.from >> 1) * 4;
    this.#transfers(parts[first] as number, parts[first + 1] as number);
    if (movesAtStart) this.#state = this.#namePhis(block, 0);
    this.#transfers(parts[first + 2] as number, parts[first + 3] as number);
    for (const inst of block.insts) {
      const at = (inst.position >> 1) * 4;
      const begin = parts[at + 1] as number;
      const end = parts[at + 2] as number;
      this.#transfers(parts[at] as number, begin);
      this.#inst(inst, begin, end);
      this.#transfers(end, parts[at + 3] as number);
    }
  }

  /** The state behind an edge; where a block has several successors, the moves of its edges stand in those. */
  #across(from: MachineBlock, to: MachineBlock): State {
    return from.succs.length > 1 ? this.#state : this.#namePhis(to, to.preds.indexOf(from));
  }

  /** The state in which the phis of a block begin to be where their inputs were. */
  #namePhis(block: MachineBlock, pred: number): State {
    if (block.phis.length === 0) return this.#state;
    const phis = new Set<Value>(block.phis.map((phi) => phi.dst));
    const result: State["values"] = new Map();
    for (const [location, values] of this.#state.values) {
      const next = new Set([...values].filter((value) => !phis.has(value)));
      for (const phi of block.phis) if (this.#matches(values, phi.inputs[pred] as Operand)) next.add(phi.dst);
      result.set(location, next);
    }
    return { values: result, owners: this.#state.owners };
  }

  /** Whether values of a location are what an operand asks for. */
  #matches(values: ReadonlySet<Value> | undefined, { vreg, add, constant }: Operand): boolean {
    if (values === undefined) return false;
    if (constant !== undefined) return values.has(this.#text(constant));
    if (add !== 0) return values.has(`${vreg} + ${add}`);
    const own = this.#stages.machine.constants[vreg];
    return values.has(vreg) || (own !== undefined && values.has(this.#text(own)));
  }

  #text(constant: Constant): string {
    switch (constant.kind) {
      case "int":
        return `int ${constant.value}`;
      case "slot":
        return `frame ${this.#stages.frame.offsetOf(constant.slot as Slot) + constant.offset}`;
      case "map":
        return `map ${constant.name}`;
      case "mapValue":
        return `value of ${constant.name} + ${constant.offset}`;
      case "function":
        return `function ${constant.name}`;
    }
  }

  #expect(at: number, register: number, vreg: number, constant?: Constant): void {
    const operand = { vreg, add: 0, constant: vreg === NONE ? constant : undefined };
    if (this.#matches(this.#state.values.get(register), operand)) return;
    const held = [...(this.#state.values.get(register) ?? [])].join(", ");
    this.#fail(
      at,
      `r${register} should hold value ${vreg === NONE ? this.#text(constant as Constant) : vreg}, it holds {${held}}`,
    );
  }

  /** `vreg` begins to exist, in one register. */
  #define(vreg: number, register: number): void {
    for (const [location, values] of this.#state.values) {
      if (values.has(vreg)) this.#state.values.set(location, new Set([...values].filter((value) => value !== vreg)));
    }
    this.#state.values.set(register, new Set([vreg]));
  }

  #transfers(from: number, to: number): void {
    for (let at = from; at < to; at++) this.#transfer(at);
  }

  /** Moves of values, and nothing else. */
  #transfer(at: number): void {
    const { opcode, dst, src, offset, imm, imm64, map, mapValueOffset, target } = this.#code[at] as Instruction;
    const state = this.#state.values;
    const set = (value: Value) => state.set(dst, new Set([value]));
    switch (opcode) {
      case Class.ALU64 | Alu.MOV | 8:
        if (src === 10) set("frame 0");
        else state.set(dst, state.get(src) ?? new Set());
        return;
      case Class.ALU64 | Alu.ADD: {
        const next = new Set<Value>();
        for (const value of state.get(dst) ?? []) {
          const frame = typeof value === "string" && value.startsWith("frame ") ? Number(value.slice(6)) : undefined;
          if (frame !== undefined) next.add(`frame ${frame + imm}`);
          else if (typeof value === "number") next.add(`${value} + ${imm}`);
        }
        state.set(dst, next);
        return;
      }
      case Class.ALU64 | Alu.MOV:
        set(`int ${imm}`);
        return;
      case Class.ALU | Alu.MOV:
        set(`int ${imm >>> 0}`);
        return;
      case Opcode.LOAD_IMM64:
        if (src === Pseudo.MAP_FD) set(`map ${map}`);
        else if (src === Pseudo.MAP_VALUE) set(`value of ${map} + ${mapValueOffset}`);
        else if (src === Pseudo.FUNC) set(`function ${target}`);
        else set(`int ${BigInt.asIntN(64, imm64 as bigint)}`);
        return;
      case Class.LDX | WORD:
        if (src !== 10) this.#fail(at, "a move reads memory that is not the stack");
        state.set(dst, state.get(offset) ?? new Set());
        return;
      case Class.STX | WORD:
      case Class.ST | WORD: {
        if (dst !== 10) this.#fail(at, "a move writes memory that is not the stack");
        if (offset % 8 !== 0) this.#fail(at, "a value is kept where it is not aligned");
        this.#overwrite(offset, 8, OTHER);
        state.set(offset, opcode === (Class.ST | WORD) ? new Set([`int ${imm}`]) : (state.get(src) ?? new Set()));
        return;
      }
      default:
        this.#fail(at, "a move is no move");
    }
  }

  /** Forgets the values that were in some bytes, which now are somebody's. */
  #overwrite(offset: number, size: number, owner: number): void {
    for (const location of [...this.#state.values.keys()]) {
      if (location < 0 && location < offset + size && location + 8 > offset) this.#state.values.delete(location);
    }
    this.#state.owners.fill(owner, -offset - size + 1, -offset + 1);
  }

  #inst(inst: MachineInst, begin: number, end: number): void {
    const { form, a, b, dst } = inst;
    const last = end - 1;
    const code = this.#code[last] as Instruction;
    switch (form) {
      case "alu":
        this.#transfers(begin, last);
        this.#expect(last, code.dst, a, inst.constant);
        if (b !== NONE) {
          // x op x may have been moved to where it is changed.
          this.#expect(last, code.src, b);
        } else if (code.imm !== inst.imm) this.#fail(last, "the immediate is another");
        this.#define(dst, code.dst);
        return;
      case "move":
        this.#expect(last, code.src, b);
        this.#define(dst, code.dst);
        return;
      case "constant": {
        this.#transfers(begin, end);
        const register = (this.#code[begin] as Instruction).dst;
        if (this.#state.values.get(register)?.has(this.#text(inst.constant as Constant)) !== true) {
          this.#fail(begin, `r${register} does not hold the constant ${this.#text(inst.constant as Constant)}`);
        }
        this.#define(dst, register);
        // It may be made anew on some ways and be kept on others.
        this.#state.values.set(register, new Set<Value>([dst, this.#text(inst.constant as Constant)]));
        return;
      }
      case "load":
        this.#memory(inst, last, code.src, code.offset, true);
        this.#define(dst, code.dst);
        return;
      case "store":
        this.#expect(last, code.src, b);
        this.#memory(inst, last, code.dst, code.offset, false);
        return;
      case "storeImm":
        this.#memory(inst, last, code.dst, code.offset, false);
        return;
      case "atomic":
        this.#expect(last, code.src, b);
        this.#memory(inst, last, code.dst, code.offset, true);
        if (code.imm === 0xf1) this.#state.values.set(0, new Set([MACHINE]));
        return;
      case "fetch":
        this.#transfers(begin, last);
        this.#expect(last, code.src, b);
        this.#memory(inst, last, code.dst, code.offset, true);
        this.#define(dst, code.src);
        return;
      case "fromRegister":
        if (this.#state.values.get(inst.imm)?.has(MACHINE) !== true)
          this.#fail(begin, `r${inst.imm} does not hold what comes from outside`);
        this.#define(dst, inst.imm);
        this.#transfers(begin, end);
        return;
      case "toRegister":
        this.#transfers(begin, end);
        this.#operands(inst, begin, inst.imm);
        return;
      case "return":
        this.#transfers(begin, last);
        this.#operands(inst, last, 0);
        return;
      case "call":
        this.#transfers(begin, last);
        this.#operands(inst, last, 1);
        this.#call(inst, last);
        return;
      case "branch":
        // Where both ways lead to the same code, nothing is compared.
        if (begin === end || (this.#code[begin] as Instruction).opcode === Opcode.JA) return;
        this.#expect(begin, (this.#code[begin] as Instruction).dst, a);
        if (b !== NONE) this.#expect(begin, (this.#code[begin] as Instruction).src, b);
        return;
      case "jump":
        return;
    }
  }

  #operands(inst: MachineInst, at: number, first: number): void {
    inst.operands.forEach((operand, n) => {
      if (!this.#matches(this.#state.values.get(first + n), operand)) {
        const held = [...(this.#state.values.get(first + n) ?? [])].join(", ");
        const wanted =
          operand.constant === undefined ? `${operand.vreg} + ${operand.add}` : this.#text(operand.constant);
        this.#fail(at, `r${first + n} should hold ${wanted} as operand, it holds {${held}}`);
      }
    });
  }

  #call(inst: MachineInst, at: number): void {
    inst.operands.forEach((operand, n) => {
      const slot = this.#addresses.ofOperand(operand);
      if (slot === undefined) return;
      const { reads, writes } = inst.callee ?? {};
      const { offset, size } = writtenBy(inst, n) ?? { offset: 0, size: slot.size };
      if (writes?.includes(n) !== true || reads?.includes(n) === true) this.#read(at, slot, offset, size);
      if (reads?.includes(n) !== true || writes?.includes(n) === true) this.#write(slot, offset, size);
    });
    for (let r = 0; r <= 5; r++) this.#state.values.delete(r);
    this.#state.values.set(0, new Set([MACHINE]));
  }

  #memory(inst: MachineInst, at: number, base: number, offset: number, reads: boolean): void {
    const size = bytesOf(inst.opcode);
    let slot = inst.slot;
    let start = 0;
    let length = size;
    if (slot !== undefined) {
      if (base !== 10) this.#fail(at, "the stack is not reached by its pointer");
      start = inst.offset;
      if (offset !== this.#stages.frame.offsetOf(slot) + start) this.#fail(at, "the place in the stack is another");
    } else {
      this.#expect(at, base, inst.a);
      if (offset !== inst.offset) this.#fail(at, "the offset is another");
      slot = this.#addresses.of(inst.a);
      length = slot?.size ?? 0;
    }
    if (slot === undefined) return;
    if (reads) this.#read(at, slot, start, length);
    if (inst.form !== "load") this.#write(slot, start, length);
  }

  #write(slot: Slot, offset: number, size: number): void {
    const start = this.#stages.frame.offsetOf(slot) + offset;
    this.#overwrite(start, size, slot.id + 1);
  }

  /** No byte of the slot that is ever written as such may have been overwritten by something else. */
  #read(at: number, slot: Slot, offset: number, size: number): void {
    const start = this.#stages.frame.offsetOf(slot) + offset;
    for (let byte = start; byte < start + size; byte++) {
      if (this.#written.get(slot)?.has(byte) !== true) continue;
      const owner = this.#state.owners[-byte] as number;
      if (owner !== UNKNOWN && owner !== slot.id + 1) this.#fail(at, `byte ${byte} of the stack was overwritten`);
    }
  }

  #findWritten(): void {
    const { machine, frame } = this.#stages;
    const add = (slot: Slot, offset: number, size: number) => {
      let bytes = this.#written.get(slot);
      if (bytes === undefined) {
        bytes = new Set();
        this.#written.set(slot, bytes);
      }
      for (let i = 0; i < size; i++) bytes.add(frame.offsetOf(slot) + offset + i);
    };
    for (const block of machine.blocks) {
      for (const inst of block.insts) {
        if (inst.form === "store" || inst.form === "storeImm") {
          if (inst.slot !== undefined) add(inst.slot, inst.offset, bytesOf(inst.opcode));
        } else if (inst.form === "call") {
          inst.operands.forEach((operand, n) => {
            const slot = this.#addresses.ofOperand(operand);
            if (slot === undefined || inst.callee?.writes?.includes(n) !== true) return;
            const { offset, size } = writtenBy(inst, n) ?? { offset: 0, size: slot.size };
            add(slot, offset, size);
          });
        }
      }
    }
  }
}
