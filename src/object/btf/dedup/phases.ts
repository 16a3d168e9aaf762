import { BtfError } from "../btf-error.ts";
import type { Classes } from "./classes.ts";
import type { Graph } from "./graph.ts";

/** Types that name no others (integers, enums, forward declarations): equal where their labels are. */
export function joinLeaves(graph: Graph, classes: Classes): void {
  const first = new Map<number, number>();
  for (let id = 1; id < graph.endId; id++) {
    if (graph.starts[id] !== graph.starts[id + 1]) continue;
    const label = graph.labels[id] as number;
    const other = first.get(label);
    if (other === undefined) first.set(label, id);
    else classes.join(other, id);
  }
}

/** Structs and unions, and with them all through which they lead to each other. */
export function joinComposites(graph: Graph, classes: Classes): void {
  // Of each label, the types that are known to differ.
  const different = new Map<number, number[]>();
  for (let id = 1; id < graph.endId; id++) {
    const kind = graph.kind(id);
    if (kind !== "struct" && kind !== "union") continue;
    const label = graph.labels[id] as number;
    const others = different.get(label);
    if (others === undefined) {
      different.set(label, [id]);
      continue;
    }
    // What is one already comes first: it is found without a comparison.
    const own = classes.representative(id);
    if (others.some((other) => classes.representative(other) === own)) continue;
    // A base's types are taken as they are.
    if (id < graph.firstId || !others.some((other) => classes.joinEqual(other, id))) others.push(id);
  }
}

/** Forward declarations that no comparison has led to a definition: they mean the one of their name, if there is but one. */
export function joinForwards(graph: Graph, classes: Classes): void {
  const definitions = new Map<number, number | undefined>();
  for (let id = 1; id < graph.endId; id++) {
    const tag = graph.tags[id] as number;
    if (tag === 0 || graph.forward[id] === 1) continue;
    const own = classes.representative(id);
    if (!definitions.has(tag)) definitions.set(tag, own);
    else if (definitions.get(tag) !== own) definitions.set(tag, undefined);
  }
  for (let id = graph.firstId; id < graph.endId; id++) {
    if (graph.forward[id] !== 1) continue;
    const own = classes.representative(id);
    const definition = definitions.get(graph.tags[id] as number);
    if (graph.forward[own] !== 1 || definition === undefined) continue;
    if (own < graph.firstId && definition >= graph.firstId) continue;
    classes.join(definition, id);
  }
}

/**
 * All that names other types and is no struct: equal where the label and what it names are. Those named come first, so that
 * each is looked at once. Throws BtfError for types that name themselves without a struct between.
 */
export function joinReferences(graph: Graph, classes: Classes): void {
  const { starts, references } = graph;
  const first = new Map<string, number>();
  /** 0 for a type not yet seen, `UNDER_WAY`, or the first type that is equal to it. */
  const canonical = new Uint32Array(graph.endId);
  const find = (id: number): number => (isLeaf(graph, id) ? classes.representative(id) : (canonical[id] as number));
  for (let start = 1; start < graph.endId; start++) {
    const stack = [start];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const state = canonical[id] as number;
      if (isLeaf(graph, id) || (state !== 0 && state !== UNDER_WAY)) {
        stack.pop();
        continue;
      }
      const from = starts[id] as number;
      const to = starts[id + 1] as number;
      if (state === 0) {
        canonical[id] = UNDER_WAY;
        const depth = stack.length;
        for (let at = from; at < to; at++) {
          const reference = references[at] as number;
          const found = find(reference);
          if (found === UNDER_WAY) throw new BtfError(`Type ${reference} names itself, and no struct is between.`);
          if (found === 0 && reference !== 0) stack.push(reference);
        }
        if (stack.length > depth) continue;
      }
      stack.pop();
      let key = `${graph.labels[id]}`;
      for (let at = from; at < to; at++) key += `,${find(references[at] as number)}`;
      const other = first.get(key);
      if (other === undefined) first.set(key, id);
      else classes.join(other, id);
      canonical[id] = other ?? id;
    }
  }
}

const UNDER_WAY = 0xffffffff;

/** What is looked at by another phase: static variables of one name may be two, and go with their sections. */
function isLeaf(graph: Graph, id: number): boolean {
  if (id === 0 || graph.starts[id] === graph.starts[id + 1]) return true;
  switch (graph.kind(id)) {
    case "struct":
    case "union":
    case "section":
    case "declTag":
      return true;
    case "variable":
      return graph.isStatic(id);
    default:
      return false;
  }
}

/** Sections of one name and size with equal variables at the same places; their variables, static ones too, are then one. */
export function joinSections(graph: Graph, classes: Classes): void {
  const { starts, references, labels } = graph;
  const first = new Map<string, number>();
  for (let id = 1; id < graph.endId; id++) {
    if (graph.kind(id) !== "section") continue;
    const from = starts[id] as number;
    const to = starts[id + 1] as number;
    let key = `${labels[id]}`;
    for (let at = from; at < to; at++) {
      const entry = references[at] as number;
      const type = references[starts[entry] as number] as number;
      key += `,${labels[entry]}:${classes.representative(type)}`;
    }
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, id);
      continue;
    }
    classes.join(other, id);
    for (let i = 0; i < to - from; i++)
      classes.join(references[(starts[other] as number) + i] as number, references[from + i] as number);
  }
}

/** Tags of one text on one type, which is known by now. */
export function joinTags(graph: Graph, classes: Classes): void {
  const first = new Map<string, number>();
  for (let id = 1; id < graph.endId; id++) {
    if (graph.kind(id) !== "declTag") continue;
    const target = graph.references[graph.starts[id] as number] as number;
    const key = `${graph.labels[id]},${classes.representative(target)}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, id);
    else classes.join(other, id);
  }
}
