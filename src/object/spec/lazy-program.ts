import type { Instruction } from "../asm/index.ts";
import type { ProgramSpec } from "./object-spec.ts";
import type { ProgramCode } from "./program-code.ts";
import { decodeRaw, type RawProgram } from "./raw-program.ts";

/** Instructions that are made when somebody looks at them. */
export interface LazyInstructions {
  /** Undefined once they are made: what it needs is not kept longer. */
  make: (() => readonly Instruction[]) | undefined;
  made: readonly Instruction[] | undefined;
  /** What they are made from, as long as nobody had them, who may have changed them. */
  raw: RawProgram | undefined;
}

/** Where an object has them. Not enumerable, so that copies have the instructions alone. */
const LAZY = Symbol("lazy");
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

interface HasLazy {
  readonly [LAZY]: LazyInstructions;
}

/** Instructions that are decoded; `replaced` are those of other kernels' types, as in `decodeRaw`. */
export function decodedLater(
  raw: RawProgram,
  replaced?: ReadonlyMap<number, readonly Instruction[]>,
): LazyInstructions {
  return { make: () => decodeRaw(raw, replaced), made: undefined, raw: replaced === undefined ? raw : undefined };
}

/** Instructions that are there. */
export function given(instructions: readonly Instruction[]): LazyInstructions {
  return { make: undefined, made: instructions, raw: undefined };
}

/**
 * Gives an object a property `instructions`, which are made when they are read. In everything else it is plain data, and all
 * copies of it are.
 */
export function withInstructions<T extends object>(
  rest: T,
  lazy: LazyInstructions,
): T & { readonly instructions: readonly Instruction[] } {
  Object.defineProperty(rest, "instructions", INSTRUCTIONS);
  Object.defineProperty(rest, LAZY, { value: lazy });
  Object.defineProperty(rest, INSPECT, { value: asPlainData });
  return rest as T & { readonly instructions: readonly Instruction[] };
}

/** What a program is in its file; undefined once its instructions were looked at, as they say then what is loaded. */
export function rawOf(program: object): RawProgram | undefined {
  return (program as Partial<HasLazy>)[LAZY]?.raw;
}

/** How an object that `withInstructions` gave instructions makes them. */
export function lazyOf({ instructions }: { readonly instructions: readonly Instruction[] }): LazyInstructions;
export function lazyOf(owner: Partial<HasLazy> & { readonly instructions: readonly Instruction[] }): LazyInstructions {
  return owner[LAZY] ?? given(owner.instructions);
}

/** A program with everything of another one but its instructions, and with other code. */
export function withCode(program: ProgramSpec, code: ProgramCode): Omit<ProgramSpec, "instructions"> {
  const copy: Record<string, unknown> = {};
  for (const key in program) if (key !== "instructions") copy[key] = program[key as keyof ProgramSpec];
  copy["code"] = code;
  return copy as unknown as Omit<ProgramSpec, "instructions">;
}

/** The same functions for all, or each program would have a hidden class of its own. */
const INSTRUCTIONS: PropertyDescriptor & ThisType<HasLazy> = {
  enumerable: true,
  // What is put in its place would be seen and not be loaded.
  configurable: false,
  get() {
    const lazy = this[LAZY];
    lazy.made ??= lazy.make?.() ?? [];
    lazy.make = undefined;
    lazy.raw = undefined;
    return lazy.made;
  },
  // Who sets them sets what is loaded.
  set(instructions: readonly Instruction[]) {
    if (Object.isFrozen(this)) throw new TypeError("The instructions of a frozen program cannot be set.");
    const lazy = this[LAZY];
    lazy.made = instructions;
    lazy.make = undefined;
    lazy.raw = undefined;
  },
};

/** Printed as what it is: a getter would be all that is seen. */
function asPlainData(this: object): object {
  return { ...this };
}
