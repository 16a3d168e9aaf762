import type { ArrowFunctionExpression, Expression, Function as FunctionNode } from "@oxc-project/types";
import type { FunctionDecl, GlobalDecl, Local, MapDecl } from "../hir.ts";
import type { Span } from "../span.ts";
import type { Type } from "../type.ts";

/** A value that is known while compiling. */
export type Constant = bigint | boolean | string | ConstantObject | readonly Constant[] | undefined;
export interface ConstantObject {
  readonly [name: string]: Constant;
}

/** What a name outside of functions stands for. */
export type Entity =
  /** Of `skep/kernel`, by its name there. */
  | { readonly kind: "vocabulary"; readonly name: string }
  | { readonly kind: "type"; readonly type: Type }
  /** A kernel struct that was imported as a type from `btf:…`. */
  | { readonly kind: "kernelType"; readonly name: string }
  | { readonly kind: "map"; readonly map: MapDecl }
  | { readonly kind: "global"; readonly global: GlobalDecl }
  | { readonly kind: "constant"; readonly value: Constant }
  | { readonly kind: "function"; readonly source: FunctionSource }
  | { readonly kind: "program"; readonly name: string }
  /** `import * as k from …`. */
  | { readonly kind: "namespace"; readonly members: (name: string) => Entity | undefined }
  /** A value of JavaScript's own, in a file that is no kernel code altogether. */
  | { readonly kind: "foreign" }
  /** Its declaration was refused: what uses it is left out silently. */
  | { readonly kind: "broken" };

/** A function of the source, checked when it is first called. */
export interface FunctionSource {
  readonly name: string;
  readonly file: FileScope;
  readonly node: ArrowFunctionExpression | FunctionNode;
  readonly span: Span;
  decl: FunctionDecl | undefined;
  /** It is being checked: a call now is recursion. */
  checking: boolean;
  /** It was refused. */
  failed: boolean;
}

/** A function that was not checked yet. */
export function functionSource(
  file: FileScope,
  name: string,
  node: FunctionSource["node"],
  span: Span,
): FunctionSource {
  return { name, file, node, span, decl: undefined, checking: false, failed: false };
}

/** The names of one file. */
export interface FileScope {
  readonly index: number;
  readonly path: string;
  readonly text: string;
  readonly names: Map<string, Entity>;
  /** The name under which others see a declaration. */
  readonly exports: Map<string, string>;
  /** Its programs are left out. */
  readonly withoutPrograms?: true;
}

/** What an expression stands for when it is a name, or a member of a namespace. */
export function entityOf(file: FileScope, node: Expression): Entity | undefined {
  if (node.type === "Identifier") return file.names.get(node.name);
  if (node.type === "MemberExpression" && !node.computed && node.property.type === "Identifier") {
    const object = entityOf(file, node.object);
    if (object?.kind === "namespace") return object.members(node.property.name);
  }
  return undefined;
}

/** A field of a program's context. */
export interface ContextField {
  readonly offset: number;
  readonly type: Type;
  /** `__data_loc char[]`: `offset` is that of a word whose low half says where the text begins in the context. */
  readonly dataLoc?: true;
  /** The program may change it. */
  readonly writable?: true;
  /** An argument of a probe, by its number: where it is, the probe's description says. */
  readonly argument?: number;
  /** A pointer that may be null there: `undefined` for the program. */
  readonly nullable?: true;
}

/** What a program's parameter `ctx` has. */
export interface ContextShape {
  readonly what: string;
  /** `category:name`, of a tracepoint's. */
  readonly tracepoint?: string;
  readonly fields: ReadonlyMap<string, ContextField>;
  /** `ctx.args[n]`, by number. */
  readonly args?: readonly ContextField[];
}

/** What a name inside of a function stands for. */
export type Binding =
  | { readonly kind: "local"; readonly local: Local; readonly isConst: boolean; readonly node: object }
  | { readonly kind: "context"; readonly shape: ContextShape }
  /** The packet of an XDP program. */
  | { readonly kind: "packet" }
  /** Its declaration was refused. */
  | { readonly kind: "broken" };

/** Names of a block, and of those around it. */
export class Scope {
  readonly #names = new Map<string, Binding>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  find(name: string): Binding | undefined {
    return this.#names.get(name) ?? this.#outer?.find(name);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  set(name: string, binding: Binding): void {
    this.#names.set(name, binding);
  }
}

/** What is known where the checker is: optionals that were tested, and whether this place is reached. */
export class Facts {
  readonly present: ReadonlySet<Local>;
  readonly reachable: boolean;

  constructor(present: ReadonlySet<Local> = new Set(), reachable = true) {
    this.present = present;
    this.reachable = reachable;
  }

  static readonly UNREACHABLE = new Facts(new Set(), false);

  with(more: Iterable<Local>): Facts {
    return this.reachable ? new Facts(new Set([...this.present, ...more]), true) : this;
  }

  without(gone: Iterable<Local>): Facts {
    const left = new Set(this.present);
    for (const local of gone) left.delete(local);
    return new Facts(left, this.reachable);
  }

  /** What holds where two ways meet. */
  meet(other: Facts): Facts {
    if (!this.reachable) return other;
    if (!other.reachable) return this;
    return new Facts(new Set([...this.present].filter((local) => other.present.has(local))), true);
  }
}
