import type { Instruction } from "../asm/index.ts";
import type { ProgramSpec } from "./object-spec.ts";
import { decodeRaw, type RawProgram } from "./raw-program.ts";

/** Where a program has what its instructions are made from. Not enumerable, so that copies have the instructions alone. */
const LAZY = Symbol("lazy");
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

interface Lazy {
  readonly make: () => readonly Instruction[];
  made: readonly Instruction[] | undefined;
  /** What the program is loaded from, as long as nobody had its instructions, who may have changed them. */
  raw: RawProgram | undefined;
}

interface LazySpec extends ProgramSpec {
  readonly [LAZY]: Lazy;
}

/** A program whose instructions are decoded when somebody looks at them; `rest` becomes it. */
export function specOfRaw(rest: Omit<ProgramSpec, "instructions">, raw: RawProgram): ProgramSpec {
  return withLazy(rest, { make: () => decodeRaw(raw), made: undefined, raw });
}

/** What the program is in its file; undefined once its instructions were looked at, as they say then what is loaded. */
export function rawOf(program: ProgramSpec): RawProgram | undefined {
  return (program as Partial<LazySpec>)[LAZY]?.raw;
}

/** The program with other instructions, which are made when they are looked at; those that it has are not looked at. */
export function withInstructions(program: ProgramSpec, make: () => readonly Instruction[]): ProgramSpec {
  const rest: Record<string, unknown> = {};
  for (const key in program)
    if (key !== "instructions" && key !== "code") rest[key] = program[key as keyof ProgramSpec];
  return withLazy(rest as unknown as Omit<ProgramSpec, "instructions">, { make, made: undefined, raw: undefined });
}

function withLazy(rest: Omit<ProgramSpec, "instructions">, lazy: Lazy): ProgramSpec {
  Object.defineProperty(rest, "instructions", INSTRUCTIONS);
  Object.defineProperty(rest, LAZY, { value: lazy });
  Object.defineProperty(rest, INSPECT, { value: asPlainData });
  return rest as ProgramSpec;
}

/** The same functions for all, or each program would have a hidden class of its own. */
const INSTRUCTIONS: PropertyDescriptor & ThisType<LazySpec> = {
  enumerable: true,
  configurable: true,
  get() {
    const lazy = this[LAZY];
    lazy.made ??= lazy.make();
    lazy.raw = undefined;
    return lazy.made;
  },
  // Who sets them sets what is loaded.
  set(instructions: readonly Instruction[]) {
    const lazy = this[LAZY];
    lazy.made = instructions;
    lazy.raw = undefined;
  },
};

/** Printed as what it is: a getter would be all that is seen. */
function asPlainData(this: ProgramSpec): ProgramSpec {
  return { ...this };
}
