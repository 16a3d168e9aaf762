import type { Random } from "../../support/random.ts";
import type { Int, List, Raw, Struct, Text, Type } from "./types.ts";

/** What the kernel that programs are made for can do, and how they are run. */
export interface Profile {
  /** Programs are `syscall` programs with a context of their own (Linux 5.14), or stand at a raw tracepoint with numbers. */
  readonly kind: "syscall" | "rawTracepoint";
  /** xchg, cas (Linux 5.12). */
  readonly fetchAtomics: boolean;
  /** `for (const [key, value] of map)` (Linux 5.13). */
  readonly entries: boolean;
  /** Ranges whose length is known only at run time and is large: bpf_loop or bpf_iter_num. */
  readonly longLoops: boolean;
  /** `task()`: the kernel's types are known. */
  readonly task: boolean;
  /** Functions that take more than numbers are put in place (before Linux 6.4): fewer are made, and all are called more often. */
  readonly callsNumbersOnly: boolean;
}

export interface HashMap {
  readonly kind: "hash";
  readonly name: string;
  readonly key: Type;
  readonly value: Type;
  /** Values are copied out, and entries may go: nothing that points into it is kept. Others: entries only come. */
  readonly byValue: boolean;
  readonly perCpu: boolean;
}
export interface ArrayMap {
  readonly kind: "array";
  readonly name: string;
  readonly value: Type;
  readonly length: number;
  readonly perCpu: boolean;
}
export interface Aggregation {
  readonly name: string;
  readonly key: Type | undefined;
  readonly word: "counter" | "sum" | "avg" | "min" | "max" | "histogram" | "linear";
}
export interface Ring {
  readonly name: string;
  readonly event: Struct;
  /** Its records are of several types: each call names one. */
  readonly isMixed: boolean;
}
export interface Outer {
  readonly name: string;
  readonly type: Type;
}
export interface Func {
  readonly name: string;
  readonly params: readonly Type[];
  readonly result: Int | { readonly kind: "bool" } | undefined;
  /** Turns of its loops, about. */
  readonly turns: number;
  /** It has loops, or calls what has. */
  readonly loops: boolean;
}

/** A variable, or a place that is read like one. */
export interface Variable {
  readonly text: string;
  readonly type: Type;
  /** May be assigned to. */
  readonly mutable: boolean;
  /** It is memory somewhere else: its fields are assigned to, and what does not fit is cut off. */
  readonly inPlace?: true;
  /** Its type is what arithmetic gave; it may be assigned numbers of this sign. */
  readonly plain?: true;
  /** Of a `const` of what arithmetic gave: its range. */
  readonly lo?: bigint;
  readonly hi?: bigint;
}
/** What is not there always, and was not tested for. */
export interface Maybe {
  readonly name: string;
  readonly type: Int;
  readonly mutable: boolean;
}
export interface Cell {
  readonly text: string;
  readonly type: Int | { readonly kind: "bool" };
}
/** A number that is known to be below another. */
export interface Index {
  readonly text: string;
  readonly below: number;
  /** What it was declared as, where it is no `let` of a loop. */
  readonly type?: Int;
}
export interface LoopAround {
  readonly label: string | undefined;
  /** Of a `switch`: `continue` goes on with the loop around it. */
  readonly isSwitch: boolean;
}

/** How often anything is done in one run, at most. */
export const MOST_TURNS = 128;

/** The program that is being written: what is declared, what is in scope, what it has cost. */
export class Gen {
  readonly random: Random;
  readonly profile: Profile;
  readonly counts: Map<string, number>;
  // Declared by the module.
  readonly structs: Struct[] = [];
  readonly constants: { readonly text: string; readonly value: bigint }[] = [];
  readonly params: Outer[] = [];
  readonly globals: Outer[] = [];
  readonly hashes: HashMap[] = [];
  readonly arrays: ArrayMap[] = [];
  readonly aggregations: Aggregation[] = [];
  readonly rings: Ring[] = [];
  readonly storages: Outer[] = [];
  readonly functions: Func[] = [];
  stacks: string | undefined;
  // In scope.
  variables: Variable[] = [];
  maybes: Maybe[] = [];
  cells: Cell[] = [];
  indices: Index[] = [];
  loops: LoopAround[] = [];
  /** Fields of the context. */
  context: Variable[] = [];
  /** What `return` gives; undefined: nothing. */
  result: Func["result"];
  /** Within a function of its own the body of which order must not matter (entries of a map). */
  unordered = false;
  /** Statements that may still be written. */
  budget = 0;
  /** How often what is written now is done, and the most of it in this function. */
  turns = 1;
  mostTurns = 1;
  /** What is written is handed to a function, which may change what it is handed: parameters of the module are not. */
  handing = false;
  /** What is written has loops. */
  hasLoops = false;
  depth = 0;
  #names = 0;

  constructor(random: Random, profile: Profile, counts: Map<string, number>) {
    this.random = random;
    this.profile = profile;
    this.counts = counts;
  }

  /** Counts a construct. */
  use(construct: string): void {
    this.counts.set(construct, (this.counts.get(construct) ?? 0) + 1);
  }

  name(start: string): string {
    return `${start}${this.#names++}`;
  }

  /** Writes a block: what it declares is gone behind it. */
  block<T>(write: () => T): T {
    const saved = {
      variables: this.variables,
      maybes: this.maybes,
      cells: this.cells,
      indices: this.indices,
    };
    this.variables = [...saved.variables];
    this.maybes = [...saved.maybes];
    this.cells = [...saved.cells];
    this.indices = [...saved.indices];
    this.depth++;
    try {
      return write();
    } finally {
      Object.assign(this, saved);
      this.depth--;
    }
  }

  /** Functions that may be called here: those that loop do not stand in long loops. */
  callable(kind: "int" | "bool" | undefined): Func[] {
    return this.functions.filter(({ result, turns }) => result?.kind === kind && turns * this.turns <= MOST_TURNS);
  }

  /** Variables and places of one kind, and those within structs. */
  places<K extends Type["kind"]>(kind: K): (Variable & { readonly type: Extract<Type, { kind: K }> })[] {
    const found: Variable[] = [];
    const visit = (variable: Variable, depth: number): void => {
      // The name for something in place is a constant: what is within is not.
      const isName = depth === 0 && variable.inPlace === true && !variable.text.includes(".");
      if (variable.type.kind === kind) found.push(isName ? { ...variable, mutable: false } : variable);
      if (variable.type.kind === "struct" && depth < 3)
        for (const { name, type } of variable.type.fields)
          visit({ ...variable, text: `${variable.text}.${name}`, type }, depth + 1);
    };
    for (const variable of this.variables) visit(variable, 0);
    const isChanged = this.handing && (kind === "struct" || kind === "bytes" || kind === "array" || kind === "str");
    if (!isChanged) for (const { name, type } of this.params) visit({ text: name, type, mutable: false }, 0);
    for (const { name, type } of this.globals) visit({ text: `${name}.value`, type, mutable: true, inPlace: true }, 0);
    for (const field of this.context) if (field.type.kind === kind) found.push(field);
    return found as never;
  }
}

export type Sequence = Text | Raw | List;
