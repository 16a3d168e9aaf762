import type { Expr, Local, Loop } from "../hir.ts";
import { Builder, type Variable } from "../ssa/builder.ts";
import type { Inst, ValueKind } from "../ssa/ir.ts";
import { isAggregate } from "../type.ts";
import { returnValues } from "./calls.ts";
import { type Destination, type Frame, Lowering, type Storage } from "./lowering.ts";
import { isOdd } from "./memory.ts";
import { pair } from "./optionals.ts";
import { pairs } from "./shape.ts";
import { leaveLoop } from "./statements.ts";
import { value } from "./value.ts";
import type { Uses } from "./walk.ts";

/** What callbacks give to their helper: go on, or stop. */
const GO_ON = 0n;
const STOP = 1n;

/** Bytes at the beginning of what is shared: why the callback stopped, and what is returned. */
const STATUS = 0;
const RESULT = 8;
const PRESENT = 16;
const CELLS = 24;

/** What a way out of the callback means for the function around it; the status says which. Status 0 is none. */
type Exit = { readonly op: "break" | "continue"; readonly loop: Loop } | { readonly op: "return" };

/** A word that the callback shares with what is around it. */
interface Cell {
  readonly offset: number;
  readonly kind: ValueKind;
  readonly nullable: boolean;
}

interface Captured {
  readonly local: Local;
  readonly outer: Storage;
  readonly assigned: boolean;
  /** One, of pairs two: present, value. */
  readonly cells: readonly Cell[];
}

/**
 * A loop's body that becomes a function of its own, which a helper of the kernel calls back. What it takes from around it
 * goes through a piece of the outer function's stack, whose address the helper hands on; what it assigns is written back
 * there. `break` of outer loops and `return` are told by a status word that is looked at behind the call.
 */
export class Outline {
  readonly outer: Lowering;
  readonly name: string;
  readonly inner: Lowering;
  /** The program's context, inside. */
  readonly context: Inst | undefined;
  readonly #shared: Destination;
  readonly #captured: Captured[] = [];
  readonly #exits: Exit[] = [];
  /** The shared memory, inside. */
  readonly #at: Inst;

  /** `kinds` are the callback's parameters; the shared memory comes as the one with the index `sharedAt`. */
  constructor(outer: Lowering, what: string, kinds: readonly ValueKind[], sharedAt: number, uses: Uses) {
    this.outer = outer;
    this.name = outer.freshName(`${outer.b.func.name}_${what}`);
    const locals = [...uses.locals].filter((local) => !uses.declared.has(local) && outer.has(local));
    let size = CELLS;
    const cell = (kind: ValueKind, nullable: boolean): Cell => {
      const made = { offset: size, kind, nullable };
      size += 8;
      return made;
    };
    const { b } = outer;
    const contextCell = uses.context ? cell("context", false) : undefined;
    for (const local of locals) {
      const storage = outer.storage(local);
      const assigned = uses.assigned.has(local);
      const cells: Cell[] = [];
      if (storage.kind === "pair") cells.push(cell("scalar", false), cell("scalar", false));
      else {
        const it = outer.readLocal(local);
        // Where it comes from is not seen inside any more: that it may be at any address of the stack is.
        cells.push(
          cell(isOdd(it) ? "stack" : it.kind, it.nullable && (local.type.kind === "optional" || it.kind === "kernel")),
        );
      }
      this.#captured.push({ local, outer: storage, assigned, cells });
    }
    this.#shared = outer.scratch(size, 8, `${what} shares`);
    const { base } = this.#shared;
    b.store(base, STATUS, 8, b.constant(0n));
    b.store(base, RESULT, 8, b.constant(0n));
    b.store(base, PRESENT, 8, b.constant(0n));
    if (contextCell !== undefined) b.store(base, contextCell.offset, 8, outer.context());
    for (const { local, outer: storage, cells } of this.#captured) {
      const given =
        storage.kind === "pair" ? variablesOf(storage).map((each) => b.read(each)) : [outer.readLocal(local)];
      for (const [i, { offset }] of cells.entries()) b.store(base, offset, 8, given[i] as Inst);
    }
    const builder = new Builder(this.name, "callback", kinds, b.span);
    builder.span = b.span;
    this.#at = builder.param(sharedAt);
    this.context =
      contextCell === undefined ? undefined : builder.load(this.#at, contextCell.offset, 8, { kind: "context" });
    this.inner = new Lowering(outer.unit, builder, outer.program, this);
    for (const captured of this.#captured) this.#place(captured);
  }

  /** Where the helper's callback finds what it shares. */
  get shared(): Inst {
    return this.#shared.base;
  }

  #place({ local, outer, cells }: Captured): void {
    const { inner } = this;
    const variable = inner.newVariable(local.name);
    const storage: Storage =
      outer.kind === "pair"
        ? { kind: "pair", present: inner.newVariable(), value: variable }
        : { kind: outer.kind === "value" ? "value" : "address", variable };
    inner.place(local, storage);
    loadAll(inner, this.#at, storage.kind === "pair" ? variablesOf(storage) : [variable], cells);
  }

  // Ways out, inside

  /** Ends a turn. */
  next(): void {
    this.#leave(GO_ON);
  }

  /** Ends the loop. */
  stop(): void {
    this.#leave(STOP);
  }

  #leave(answer: bigint): void {
    const { inner } = this;
    const { b } = inner;
    inner.release(0);
    for (const { local, assigned, cells } of this.#captured) {
      if (!assigned) continue;
      for (const [i, variable] of variablesOf(inner.storage(local)).entries())
        b.store(this.#at, (cells[i] as Cell).offset, 8, b.read(variable));
    }
    b.ret(b.constant(answer));
  }

  #exit(exit: Exit): void {
    const { b } = this.inner;
    const same = (each: Exit): boolean =>
      each.op === exit.op && (each.op === "return" || (exit.op !== "return" && each.loop === exit.loop));
    let index = this.#exits.findIndex(same);
    if (index < 0) index = this.#exits.push(exit) - 1;
    b.store(this.#at, STATUS, 8, b.constant(BigInt(index + 1)));
    this.stop();
  }

  /** `break` or `continue` of a loop around this one. */
  leaveLoop(op: "break" | "continue", loop: Loop): void {
    this.#exit({ op, loop });
  }

  /** `return`, of the function around the loop. */
  returnFrom(l: Lowering, given: Expr | undefined): void {
    const { b } = l;
    const result = frameAround(this.outer)?.result;
    if (result !== undefined && isAggregate(result)) {
      l.report("EB4302", given?.span ?? b.span, "a struct or text cannot be returned from inside this loop", {
        why: "The loop's body is a function of its own for the kernel.",
        help: "Keep it in a variable, leave the loop, and return it behind.",
      });
      return;
    }
    if (given === undefined || result === undefined) {
      this.returnValues(l, b.constant(0n), undefined);
    } else if (pairs(result)) {
      const { present, value: got } = pair(l, given);
      this.returnValues(l, got, present);
    } else this.returnValues(l, value(l, given), undefined);
  }

  returnValues(l: Lowering, got: Inst, present: Inst | undefined): void {
    const { b } = l;
    b.store(this.#at, RESULT, 8, got);
    if (present !== undefined) b.store(this.#at, PRESENT, 8, present);
    this.#exit({ op: "return" });
  }

  // Behind the call, outside

  /** Ends the callback's function, and gives it to the unit. */
  finish(): void {
    this.outer.unit.functions.push(this.inner.b.finish());
  }

  /** Takes over what the callback assigned, and goes where it wanted to go. */
  after(): void {
    const { outer } = this;
    const { b } = outer;
    const { base } = this.#shared;
    for (const { outer: storage, assigned, cells } of this.#captured) {
      if (assigned) loadAll(outer, base, variablesOf(storage), cells);
    }
    if (this.#exits.length === 0) return;
    const status = b.load(base, STATUS, 8);
    for (const [i, exit] of this.#exits.entries()) {
      outer.when("eq", status, b.constant(BigInt(i + 1)), () => {
        if (exit.op !== "return") {
          leaveLoop(outer, { ...exit, span: b.span });
          return;
        }
        const result = frameAround(outer)?.result;
        const got = b.load(base, RESULT, 8);
        returnValues(outer, got, result !== undefined && pairs(result) ? b.load(base, PRESENT, 8) : undefined);
      });
    }
  }
}

/** What holds a local's value: assigning to the local is writing these. What stands in memory is written there. */
function variablesOf(storage: Storage): readonly Variable[] {
  switch (storage.kind) {
    case "pair":
      return [storage.present, storage.value];
    case "value":
      return [storage.variable];
    default:
      return [];
  }
}

function loadAll({ b }: Lowering, base: Inst, variables: readonly Variable[], cells: readonly Cell[]): void {
  for (const [i, variable] of variables.entries()) {
    const { offset, kind, nullable } = cells[i] as Cell;
    b.write(variable, b.load(base, offset, 8, { kind, nullable }));
  }
}

/** The function that a `return` leaves. */
function frameAround(l: Lowering): Frame | undefined {
  return l.frames.at(-1) ?? (l.outline === undefined ? undefined : frameAround(l.outline.outer));
}
