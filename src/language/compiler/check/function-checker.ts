import type { Expression } from "@oxc-project/types";
import type { Expr, Local, Loop } from "../hir.ts";
import type { Span } from "../span.ts";
import type { Type } from "../type.ts";
import type { Checker } from "./checker.ts";
import { Facts, type FileScope, Scope } from "./entity.ts";
import type { Explanation, Placed } from "./report.ts";

/** A loop or switch that the place is in. */
export interface Surrounding {
  readonly loop: Loop;
  /** `continue` goes on with it; a switch is left by `break` only. */
  readonly continues: boolean;
  /** What is known at each `break` of it. */
  readonly breaks: Facts[];
}

/** What is known of a function before it is checked. */
export interface FunctionOptions {
  readonly isProgram: boolean;
  /** What it is declared to give. */
  readonly result: Type | undefined;
  /** Its end, and `return` alone, are fine. */
  readonly returnsNothing: boolean;
  readonly verdicts?: number;
  readonly signedLocals: Set<object>;
}

/** What the parts of the checker share within one function. */
export class FunctionChecker {
  readonly cx: Checker;
  readonly file: FileScope;
  scope = new Scope();
  facts = new Facts();
  readonly surroundings: Surrounding[] = [];
  /** What the function gives; undefined until its first `return` when it is not annotated. */
  result: Type | undefined;
  readonly isProgram: boolean;
  /** Of a program: what `return` without a value, and its end, give. */
  readonly returnsNothing: boolean;
  /** Of a program that answers: how many answers there are, from 0 on. */
  readonly verdicts: number | undefined;
  /** Variables without annotation that begin with a number ≥ 0 and get a signed value later: their declarations. */
  readonly signedLocals: Set<object>;
  /** More of them were found: the function is checked once more. */
  foundSigned = false;

  constructor(cx: Checker, file: FileScope, options: FunctionOptions) {
    this.cx = cx;
    this.file = file;
    this.isProgram = options.isProgram;
    this.result = options.result;
    this.returnsNothing = options.returnsNothing;
    this.verdicts = options.verdicts;
    this.signedLocals = options.signedLocals;
  }

  span(node: Placed): Span {
    return this.cx.span(this.file, node);
  }

  fail(code: string, node: Placed, message: string, explanation?: Explanation): never {
    return this.cx.report.fail(code, this.span(node), message, explanation);
  }

  /** The source text of a node, for messages. */
  text(node: Placed): string {
    const text = this.file.text.slice(node.start, node.end).replaceAll(/\s+/g, " ");
    return text.length > 60 ? `${text.slice(0, 57)}…` : text;
  }

  /** Whether an optional variable was tested before. */
  isPresent(local: Local): boolean {
    return this.facts.present.has(local) || !this.facts.reachable;
  }

  /** Does one thing knowing more (or less) than here. */
  under<T>(facts: Facts, work: () => T): T {
    const saved = this.facts;
    this.facts = facts;
    try {
      return work();
    } finally {
      this.facts = saved;
    }
  }

  /** Does one thing in a block of its own names. */
  inScope<T>(work: () => T): T {
    const saved = this.scope;
    this.scope = new Scope(saved);
    try {
      return work();
    } finally {
      this.scope = saved;
    }
  }
}

/** What a test tells: its value, and which optionals are there when it is true or false. */
export interface Condition {
  readonly test: Expr;
  readonly whenTrue: readonly Local[];
  readonly whenFalse: readonly Local[];
  /** What it is whatever happens at run time, because of what the kernel has: the other way is neither checked nor compiled. */
  readonly decided?: boolean | undefined;
  /** What in it is no boolean: as a value it would be that. */
  readonly notBoolean?: Expression | undefined;
}
