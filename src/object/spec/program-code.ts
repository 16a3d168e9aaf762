import { copyInstruction, decode, encode, type Instruction, slotsOf } from "../asm/index.ts";

/** A place in a program's bytes where the loader puts a map's file descriptor. */
export interface MapReference {
  /** The 8-byte slot of the wide load. */
  readonly slot: number;
  readonly map: string;
  /** Bytes into the map's value, for a load of a value's address. */
  readonly valueOffset?: number;
}

/** A program as the kernel takes it, but for the maps: what instructions are encoded to. */
export interface ProgramCode {
  readonly bytes: Uint8Array;
  readonly maps: readonly MapReference[];
}

/** Encodes instructions, keeping the names of maps aside; what registers there are the verifier knows. Throws AsmError. */
export function encodeProgram(instructions: readonly Instruction[]): ProgramCode {
  const maps: MapReference[] = [];
  let slot = 0;
  for (const instruction of instructions) {
    const { map, mapValueOffset: valueOffset } = instruction;
    if (map !== undefined) maps.push(valueOffset === undefined ? { slot, map } : { slot, map, valueOffset });
    slot += slotsOf(instruction);
  }
  return { bytes: encode(instructions, { anyRegister: true }), maps };
}

/** The instructions of encoded code, with the maps' names; jumps have distances instead of labels. */
export function decodeProgram({ bytes, maps }: ProgramCode): readonly Instruction[] {
  const names = new Map(maps.map((reference) => [reference.slot, reference]));
  let slot = 0;
  return decode(bytes).map((instruction) => {
    const reference = names.get(slot);
    slot += slotsOf(instruction);
    if (reference === undefined) return instruction;
    const { map, valueOffset } = reference;
    const named = copyInstruction(instruction);
    named.map = map;
    if (valueOffset !== undefined) named.mapValueOffset = valueOffset;
    return named;
  });
}
