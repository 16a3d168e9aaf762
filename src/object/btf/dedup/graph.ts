import type { Btf } from "../btf.ts";
import { referencesOf } from "../references.ts";
import type { BtfKind, BtfType } from "../type.ts";

/**
 * Types as numbers, to be compared fast: a label for all of a type but the ids in it, and those ids in one array. Two types
 * are equal when their labels are, and what they name is equal in turn.
 */
export interface Graph {
  readonly firstId: number;
  readonly endId: number;
  readonly labels: Uint32Array;
  /** What a forward declaration and its definition share: keyword and name. 0 where there is no such thing. */
  readonly tags: Uint32Array;
  /** 1 for forward declarations: of structs, of unions, and enums without values. */
  readonly forward: Uint8Array;
  /** What type `id` names: `references` from `starts[id]` to before `starts[id + 1]`. */
  readonly starts: Uint32Array;
  readonly references: readonly number[];
  kind(id: number): BtfKind;
  isStatic(variable: number): boolean;
}

export function graphOf(btf: Btf): Graph {
  const { endId, firstId } = btf;
  const kinds: BtfKind[] = ["void"];
  const labels = new Uint32Array(endId);
  const tags = new Uint32Array(endId);
  const forward = new Uint8Array(endId);
  const starts = new Uint32Array(endId + 1);
  const references: number[] = [];
  const known = new Map<string, number>();
  const number = (text: string): number => {
    let found = known.get(text);
    if (found === undefined) {
      found = known.size + 1;
      known.set(text, found);
    }
    return found;
  };
  for (let id = 1; id < endId; id++) {
    const type = btf.type(id);
    kinds.push(type.kind);
    labels[id] = number(labelOf(type));
    const tag = tagOf(type);
    if (tag !== undefined) tags[id] = number(tag);
    forward[id] = isForward(type) ? 1 : 0;
    starts[id] = references.length;
    for (const reference of referencesOf(type)) references.push(reference);
  }
  starts[endId] = references.length;
  const isStatic = (id: number) => {
    const type = btf.type(id);
    return type.kind === "variable" && type.linkage === "static";
  };
  return { firstId, endId, labels, tags, forward, starts, references, kind: (id) => kinds[id] as BtfKind, isStatic };
}

/** NULs part what names cannot hold. */
function labelOf(type: BtfType): string {
  const head = `${type.kind}\0${type.name}`;
  switch (type.kind) {
    case "int":
      return `${head}\0${type.size}\0${type.bits}\0${type.bitOffset}\0${type.signed}${type.char}${type.bool}`;
    case "float":
      return `${head}\0${type.size}`;
    case "array":
      return `${head}\0${type.length}`;
    case "struct":
    case "union": {
      let text = `${head}\0${type.size}`;
      for (const { name, bitOffset, bitSize } of type.members) text += `\0${name}\0${bitOffset}:${bitSize}`;
      return text;
    }
    case "enum":
    case "enum64": {
      let text = `${head}\0${type.size}\0${type.signed}`;
      for (const { name, value } of type.values) text += `\0${name}\0${value}`;
      return text;
    }
    case "forward":
      return `${head}\0${type.union}`;
    case "prototype": {
      let text = head;
      for (const { name } of type.parameters) text += `\0${name}`;
      return text;
    }
    case "function":
    case "variable":
      return `${head}\0${type.linkage}`;
    case "section": {
      let text = `${head}\0${type.size}`;
      for (const { offset, size } of type.variables) text += `\0${offset}:${size}`;
      return text;
    }
    case "declTag":
      return `${head}\0${type.component}\0${type.attribute === true}`;
    case "typeTag":
      return `${head}\0${type.attribute === true}`;
    default:
      return head;
  }
}

function tagOf(type: BtfType): string | undefined {
  if (type.name === "") return undefined;
  switch (type.kind) {
    case "struct":
    case "union":
      return `\0${type.kind} ${type.name}`;
    case "forward":
      return `\0${type.union ? "union" : "struct"} ${type.name}`;
    case "enum":
    case "enum64":
      return `\0enum ${type.name}`;
    default:
      return undefined;
  }
}

function isForward(type: BtfType): boolean {
  return type.kind === "forward" || (type.kind === "enum" && type.name !== "" && type.values.length === 0);
}
