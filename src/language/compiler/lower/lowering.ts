import type { Diagnostic } from "../diagnostic.ts";
import type { FunctionDecl, GlobalDecl, Local, Loop, MapDecl, Module, ProgramDecl, Stmt } from "../hir.ts";
import type { Span } from "../span.ts";
import { type Builder, Variable } from "../ssa/builder.ts";
import type { Block, Claim, Condition, Func, Inst, Slot, ValueKind } from "../ssa/ir.ts";
import type { Target } from "../target.ts";
import { alignOf, isAggregate, sizeOf, type Type } from "../type.ts";
import type { Outline } from "./callback.ts";
import { type DataLayout, LOSSES } from "./data-layout.ts";
import type { Held } from "./rings.ts";
import { pairs } from "./shape.ts";
import type { Uses } from "./walk.ts";

/** What all functions of a module share while they are lowered. */
export interface Unit {
  readonly module: Module;
  readonly target: Target;
  readonly layout: DataLayout;
  /** What was made: programs, functions, callbacks. */
  readonly functions: Func[];
  readonly diagnostics: Diagnostic[];
  /** Names that functions have in the object, by their declaration. */
  readonly names: Map<FunctionDecl, string>;
  readonly takenNames: Set<string>;
  /** How many places of one program, and of what it calls, call each function: of the program that has most of them. */
  readonly calls: ReadonlyMap<FunctionDecl, number>;
  /** What is known of functions and loops that were asked about. */
  readonly uses: Map<FunctionDecl | Stmt, Uses>;
  /** Functions that were made, as they are called. */
  readonly made: Set<FunctionDecl>;
  readonly manner: "fast" | "alone" | "sparing";
  /** Functions that the compiler writes itself, by what they do: their names in the object. */
  readonly written: Map<string, string>;
}

/** Where a local lives. */
export type Storage =
  | { readonly kind: "value"; readonly variable: Variable }
  /** An optional of a scalar: whether it is there, and its value (0 when it is not). */
  | { readonly kind: "pair"; readonly present: Variable; readonly value: Variable }
  /** An aggregate on this function's stack. */
  | { readonly kind: "slot"; readonly slot: Slot }
  /** An aggregate of somebody else: of the function around a callback, a map's key. The address is a value. */
  | { readonly kind: "address"; readonly variable: Variable };

/** What must be given back on every way out. */
export interface Region {
  release(l: Lowering): void;
}

/** What `break` and `continue` of a loop do. */
export interface LoopTarget {
  readonly breakTo: Block;
  readonly continueTo: Block | undefined;
  /** Regions that stay when it is left; by `continue`, and by `break`. */
  readonly depth: number;
}

/** Where an aggregate is written to. */
export interface Destination {
  readonly base: Inst;
  readonly offset: number;
  /** What the address is a multiple of, as far as the kernel knows. */
  readonly align: number;
  /** All of it is zero already. */
  readonly zeroed: boolean;
}

/** What `return` does: of a function of its own, or of one that was put in place. */
export interface Frame {
  readonly result: Type;
  /** Undefined for the function itself: its `return` leaves it. */
  readonly end: Block | undefined;
  readonly value: Variable | undefined;
  readonly present: Variable | undefined;
  /** Where an aggregate result is written. */
  readonly into: Destination | undefined;
  readonly depth: number;
}

/** One SSA function while it is being written, and where the names of its source live. */
export class Lowering {
  readonly unit: Unit;
  readonly b: Builder;
  /** The program it is, or is called by; undefined for functions that several may call. */
  readonly program: ProgramDecl | undefined;
  /** For callbacks: how its body reaches what is around it. */
  readonly outline: Outline | undefined;
  readonly #storage = new Map<Local, Storage>();
  readonly regions: Region[] = [];
  readonly loops = new Map<Loop, LoopTarget>();
  readonly frames: Frame[] = [];
  /** Which record of a ring a local holds, so that leaving its scope gives it back. */
  readonly records = new Map<Local, Held>();
  #context: Inst | undefined;

  constructor(unit: Unit, builder: Builder, program: ProgramDecl | undefined, outline?: Outline) {
    this.unit = unit;
    this.b = builder;
    this.program = program;
    this.outline = outline;
  }

  get target(): Target {
    return this.unit.target;
  }

  // Diagnostics

  report(code: string, span: Span, message: string, rest: Partial<Diagnostic> = {}): void {
    this.unit.diagnostics.push({ code, severity: "error", message, span, ...rest });
  }

  // Locals

  /** Makes room for a local in this function; what it holds at first is for the caller to write. */
  declare(local: Local): Storage {
    const known = this.#storage.get(local);
    // A function that is put in place twice, a loop's body that is written out several times.
    if (known !== undefined) return known;
    const storage = this.#newStorage(local);
    this.#storage.set(local, storage);
    return storage;
  }

  #newStorage({ name, type }: Local): Storage {
    if (pairs(type)) return { kind: "pair", present: new Variable(""), value: new Variable(name) };
    if (!isAggregate(type)) return { kind: "value", variable: new Variable(name) };
    return { kind: "slot", slot: this.b.newSlot(Math.max(1, sizeOf(type)), slotAlign(type), name) };
  }

  /** Says where a local lives that is not this function's own. */
  place(local: Local, storage: Storage): void {
    this.#storage.set(local, storage);
  }

  storage(local: Local): Storage {
    return this.#storage.get(local) ?? this.declare(local);
  }

  has(local: Local): boolean {
    return this.#storage.has(local);
  }

  readLocal(local: Local): Inst {
    const storage = this.storage(local);
    switch (storage.kind) {
      case "value":
      case "address":
        return this.b.read(storage.variable);
      case "pair":
        return this.b.read(storage.value);
      case "slot":
        return this.b.slot(storage.slot);
    }
  }

  /** A piece of the stack for something without a name. */
  temporary(type: Type, name: string): Destination {
    return this.scratch(sizeOf(type), slotAlign(type), name);
  }

  inSlot(slot: Slot): Destination {
    return { base: this.b.slot(slot), offset: 0, align: slot.align, zeroed: false };
  }

  scratch(size: number, align: number, name: string): Destination {
    return this.inSlot(this.b.newSlot(Math.max(1, size), align, name));
  }

  /** The program's context. */
  context(): Inst {
    this.#context ??= this.outline?.context ?? this.b.param(0);
    return this.#context;
  }

  // Blocks

  /** `then` where the test goes to `yes`, `otherwise` where it goes to `no`; both go on behind. */
  fork(test: (yes: Block, no: Block) => void, then: () => void, otherwise: () => void = () => {}): void {
    const { b } = this;
    const [yes, no, end] = [b.newBlock(), b.newBlock(), b.newBlock()];
    test(yes, no);
    b.enter(yes);
    then();
    b.jump(end);
    b.enter(no);
    otherwise();
    b.jump(end);
    b.enter(end);
  }

  /** `then` when `a condition b`, else `otherwise`; both go on behind. */
  when(condition: Condition, a: Inst, b: Inst, then: () => void, otherwise?: () => void): void {
    this.fork((yes, no) => this.b.branch(condition, a, b, yes, no), then, otherwise);
  }

  /** What `then` gives when `a condition b`, else what `otherwise` does. */
  choose(condition: Condition, a: Inst, b: Inst, then: () => Inst, otherwise: () => Inst): Inst {
    const made = this.newVariable();
    this.when(
      condition,
      a,
      b,
      () => this.b.write(made, then()),
      () => this.b.write(made, otherwise()),
    );
    return this.b.read(made);
  }

  /** 1 when `a condition b`, else 0. */
  truth(condition: Condition, a: Inst, b: Inst): Inst {
    return this.choose(
      condition,
      a,
      b,
      () => this.one(),
      () => this.zero(),
    );
  }

  newVariable(name = ""): Variable {
    return new Variable(name);
  }

  zero(): Inst {
    return this.b.constant(0n);
  }

  one(): Inst {
    return this.b.constant(1n);
  }

  isNull(pointer: Inst, then: () => void, otherwise?: () => void): void {
    this.when("eq", pointer, this.zero(), then, otherwise);
  }

  // Ways out

  /** Gives back what was taken since there were `depth` regions; they stay open for other ways. */
  release(depth: number): void {
    for (let i = this.regions.length - 1; i >= depth; i--) this.regions[i]?.release(this);
  }

  /** The end of a scope: what was taken in it is given back, and is no longer open. */
  close(depth: number): void {
    this.release(depth);
    this.regions.length = depth;
  }

  /** Ends the program (or function) at once: on ways that only the kernel believes in. */
  leave(): void {
    this.release(0);
    this.b.ret(this.b.constant(0n));
  }

  // What is shared

  globalAddress(global: GlobalDecl): { base: Inst; offset: number } {
    const place = this.unit.layout.globals.get(global);
    if (place === undefined) throw new Error(`global ${global.name} has no place`);
    return { base: this.b.global(place.section, place.offset), offset: 0 };
  }

  /** One more in the map's losses. */
  countLoss(map: MapDecl): void {
    const offset = this.unit.layout.losses.get(map);
    if (offset === undefined) return;
    this.b.atomic("add", this.b.global(LOSSES, offset), 0, 8, this.b.constant(1n));
  }

  /** A name for a function that the source has none for. */
  freshName(name: string): string {
    return freshName(this.unit.takenNames, name);
  }

  /** A zero of which the kernel does not know that it is one: it reads it from memory that programs may write. */
  unknownZero(): Inst {
    const { losses, sizes } = this.unit.layout;
    const offset = losses.size * 8;
    sizes.set(LOSSES, offset + 8);
    return this.b.load(this.b.global(LOSSES, offset), 0, 8);
  }

  bound(index: Inst, length: number, what: string, name: string): Inst {
    return this.b.bound(index, length, outOfBounds(length, what, name));
  }
}

/** `name`, or with a number behind it when that is taken. */
export function freshName(taken: Set<string>, name: string): string {
  let own = name;
  for (let n = 2; taken.has(own); n++) own = `${name}_${n}`;
  taken.add(own);
  return own;
}

/** Texts and bytes are copied and compared by words. */
function slotAlign(type: Type): number {
  const size = sizeOf(type);
  return size >= 8 ? 8 : Math.max(alignOf(type), size > 4 ? 8 : size > 2 ? 4 : size > 1 ? 2 : 1);
}

/** What the kernel takes for the kind of a parameter or a value in a register. */
export function kindOf(type: Type): ValueKind {
  switch (type.kind) {
    case "reference":
      return type.memory === "packet" ? "packet" : "memory";
    case "cell":
      return "memory";
    case "optional":
      return kindOf(type.of);
    case "kernelPointer":
      return type.trust === "plain" ? "plain" : "kernel";
    default:
      return "scalar";
  }
}

function outOfBounds(length: number, what: string, name: string): Claim {
  return {
    code: "EB3101",
    message: `index ${name === "" ? "" : `\`${name}\` `}may be {range}, but ${what} has ${length} ${length === 1 ? "entry" : "entries"}`,
    why: "The kernel loads a program only when it can prove that every access stays inside.",
    help: isPowerOfTwo(length)
      ? `Test it before (\`if (${name || "i"} >= ${length}) return;\`), or mask it (\`& ${length - 1}\`).`
      : `Test it before: \`if (${name || "i"} >= ${length}) return;\`.`,
  };
}

function isPowerOfTwo(n: number): boolean {
  return n > 1 && (n & (n - 1)) === 0;
}
