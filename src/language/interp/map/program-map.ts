import { MachineMap } from "./machine-map.ts";

/** Programs by number, for tail calls: `set(index, name)` puts a program of the object in. */
export class ProgramMachineMap extends MachineMap {
  readonly #programs = new Map<number, string>();

  /** The name of the program in a slot. */
  get(index: number): string | undefined {
    return this.#programs.get(index);
  }

  /** Puts a program of the object, by its name, into a slot. Throws RangeError for a slot that there is not. */
  set(index: number, program: string): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.maxEntries)
      throw new RangeError(`Map "${this.name}" has the slots 0 to ${this.maxEntries - 1}, and no ${index}.`);
    this.#programs.set(index, program);
  }

  /** Empties a slot; whether something was in it. */
  delete(index: number): boolean {
    return this.#programs.delete(index);
  }
}
