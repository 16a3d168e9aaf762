import { Alu, Class, Helper, type Instruction, Jump, Opcode, slotsOf } from "../../../object/asm/index.ts";
import type { Span } from "../span.ts";
import type { Features } from "../target.ts";
import { labelsOf, labelWith } from "./labels.ts";

/** Slots that a jump can pass over. */
const REACH = 32767;
/** How far from a jump the one stands that carries it on: what is put between them later must not part them. */
const HOP = 28000;

/**
 * What the kernel puts in the place of one instruction when it has taken the program, about: a look-up in an array (7) for the call of
 * a helper, a loop (19) for bpf_loop, what a division by 0 or −1 gives (4, signed 8). It does not take a jump that does not reach any
 * more then.
 */
const ROOM = { call: 12, loop: 20, division: 6, signedDivision: 10 } as const;

/** Conditional jumps whose opposite the machine has. */
const OPPOSITE: Readonly<Record<number, number>> = {
  [Jump.JEQ]: Jump.JNE,
  [Jump.JNE]: Jump.JEQ,
  [Jump.JGT]: Jump.JLE,
  [Jump.JLE]: Jump.JGT,
  [Jump.JGE]: Jump.JLT,
  [Jump.JLT]: Jump.JGE,
  [Jump.JSGT]: Jump.JSLE,
  [Jump.JSLE]: Jump.JSGT,
  [Jump.JSGE]: Jump.JSLT,
  [Jump.JSLT]: Jump.JSGE,
};

interface Placed {
  instruction: Instruction;
  readonly span: Span;
}

/**
 * Makes every jump reach its target. What is too far for 16 bits goes by a jump of 32 bits (ISA v4), or by jumps that stand in
 * between.
 */
export function relaxJumps(
  name: string,
  instructions: readonly Instruction[],
  spans: readonly Span[],
  features: Pick<Features, "isaV4">,
): { readonly instructions: readonly Instruction[]; readonly spans: readonly Span[] } {
  if (instructions.length * ROOM.loop <= REACH) return { instructions, spans };
  let list: Placed[] = instructions.map((instruction, i) => ({ instruction, span: spans[i] as Span }));
  const relaxer = new Relaxer(name, features.isaV4);
  for (let next = relaxer.round(list); next !== undefined; next = relaxer.round(list)) list = next;
  return { instructions: list.map((placed) => placed.instruction), spans: list.map((placed) => placed.span) };
}

class Relaxer {
  readonly #name: string;
  readonly #isaV4: boolean;
  #labels = 0;
  /** Hops by what they lead to. */
  readonly #hops = new Map<string, string[]>();

  constructor(name: string, isaV4: boolean) {
    this.#name = name;
    this.#isaV4 = isaV4;
  }

  /** Mends all jumps that are too far as things stand; undefined when there are none. */
  round(list: Placed[]): Placed[] | undefined {
    const slots: number[] = [];
    const slotOf = new Map<string, number>();
    let slot = 0;
    for (const { instruction } of list) {
      slots.push(slot);
      for (const label of labelsOf(instruction)) slotOf.set(label, slot);
      slot += roomOf(instruction);
    }
    /** What is put before the instruction of that number. */
    const inserted = new Map<number, Placed[]>();
    const insert = (at: number, placed: Placed[]) => inserted.set(at, [...(inserted.get(at) ?? []), ...placed]);
    let changed = false;
    list.forEach((placed, i) => {
      const { instruction, span } = placed;
      const { target, opcode } = instruction;
      if (target === undefined || !isShortJump(opcode)) return;
      const from = slots[i] as number;
      const distance = (slotOf.get(target) as number) - from - 1;
      if (Math.abs(distance) <= REACH - 64) return;
      changed = true;
      if (opcode !== Opcode.JA) {
        // The condition goes round a jump that goes everywhere.
        const over = this.#label();
        const opposite = OPPOSITE[opcode & 0xf0];
        const far: Instruction = { opcode: Opcode.JA, dst: 0, src: 0, offset: 0, imm: 0, target };
        const next = list[i + 1] as Placed;
        if (opposite !== undefined) {
          placed.instruction = { ...instruction, opcode: (opcode & ~0xf0) | opposite, target: over };
          insert(i + 1, [{ instruction: far, span }]);
        } else {
          const taken = this.#label();
          placed.instruction = { ...instruction, target: taken };
          const around: Instruction = { ...far, target: over };
          insert(i + 1, [
            { instruction: around, span },
            { instruction: { ...far, label: taken }, span },
          ]);
        }
        next.instruction = { ...next.instruction, label: labelWith(next.instruction, over) };
      } else if (this.#isaV4) placed.instruction = { ...instruction, opcode: Opcode.JA32 };
      else {
        const near = (this.#hops.get(target) ?? []).find((hop) => {
          const at = slotOf.get(hop);
          return at !== undefined && Math.abs(at - from) <= HOP && Math.sign(at - from) === Math.sign(distance);
        });
        if (near !== undefined) placed.instruction = { ...instruction, target: near };
        else {
          const hop = this.#label();
          const wanted = from + Math.sign(distance) * HOP;
          let at = slots.findIndex((s) => s >= wanted);
          if (at <= 0) at = 1;
          const over = this.#label();
          const jump: Instruction = { opcode: Opcode.JA, dst: 0, src: 0, offset: 0, imm: 0, target };
          const behind = list[at] as Placed;
          insert(at, [
            { instruction: { ...jump, target: over }, span },
            { instruction: { ...jump, label: hop }, span },
          ]);
          behind.instruction = { ...behind.instruction, label: labelWith(behind.instruction, over) };
          placed.instruction = { ...instruction, target: hop };
          this.#hops.set(target, [...(this.#hops.get(target) ?? []), hop]);
          slotOf.set(hop, slots[at] as number);
        }
      }
    });
    return changed ? list.flatMap((placed, i) => [...(inserted.get(i) ?? []), placed]) : undefined;
  }

  #label(): string {
    return `${this.#name}#far${this.#labels++}`;
  }
}

function roomOf(instruction: Instruction): number {
  const { opcode, imm, offset } = instruction;
  if (opcode === (Class.JMP | Jump.CALL)) return instruction.src === 0 && imm === Helper.loop ? ROOM.loop : ROOM.call;
  const isArithmetic = (opcode & 7) === Class.ALU || (opcode & 7) === Class.ALU64;
  const operation = opcode & 0xf0;
  if (isArithmetic && (operation === Alu.DIV || operation === Alu.MOD))
    return offset === 0 ? ROOM.division : ROOM.signedDivision;
  return slotsOf(instruction);
}

function isShortJump(opcode: number): boolean {
  const cls = opcode & 7;
  const operation = opcode & 0xf0;
  return (
    (cls === Class.JMP || (cls === Class.JMP32 && opcode !== Opcode.JA32)) &&
    operation !== Jump.CALL &&
    operation !== Jump.EXIT
  );
}
