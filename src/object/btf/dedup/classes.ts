import type { Graph } from "./graph.ts";

/**
 * Which types are known to be one. Equality is found by assuming it: two types are put into one class, then whatever they
 * name must be equal too, and so on until nothing is left, or two types differ and all that was assumed is taken back. So
 * types that hold each other in a circle are compared like all others, and no pair is looked at twice.
 */
export class Classes {
  readonly #graph: Graph;
  readonly #parents: Uint32Array;
  readonly #sizes: Uint32Array;
  /** The type that stands for the class, kept at its root: a definition before a declaration, then the lowest id. */
  readonly #best: Uint32Array;
  /** What was put together: the child root, its new parent, and the parent's best before. */
  readonly #log: number[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#parents = Uint32Array.from({ length: graph.endId }, (_, id) => id);
    this.#sizes = new Uint32Array(graph.endId).fill(1);
    this.#best = this.#parents.slice();
  }

  /** The type that stands for all that are equal to this one. */
  representative(id: number): number {
    return this.#best[this.#root(id)] as number;
  }

  /** Puts two types into one class, whatever they name. */
  join(one: number, other: number): void {
    this.#union(this.#root(one), this.#root(other));
    this.#log.length = 0;
  }

  /** Puts two types, and all that thereby must be one, into one class each; changes nothing and says so where they differ. */
  joinEqual(one: number, other: number): boolean {
    const { starts, references, forward } = this.#graph;
    // Nearest first: where types differ, they mostly do so close by.
    const queue = [one, other];
    for (let next = 0; next < queue.length; next += 2) {
      const rootA = this.#root(queue[next] as number);
      const rootB = this.#root(queue[next + 1] as number);
      if (rootA === rootB) continue;
      const a = this.#best[rootA] as number;
      const b = this.#best[rootB] as number;
      if (!this.#alike(a, b)) {
        this.#undo();
        return false;
      }
      this.#union(rootA, rootB);
      // A declaration is all its definition is; what the definition names stands by itself.
      if (forward[a] !== forward[b]) continue;
      const end = starts[a + 1] as number;
      const shift = (starts[b] as number) - (starts[a] as number);
      for (let at = starts[a] as number; at < end; at++) {
        const x = references[at] as number;
        const y = references[at + shift] as number;
        if (x !== y) queue.push(x, y);
      }
    }
    this.#log.length = 0;
    return true;
  }

  #alike(a: number, b: number): boolean {
    const { labels, tags, forward, firstId } = this.#graph;
    // Only void is equal to void.
    if (a === 0 || b === 0) return false;
    if (forward[a] === forward[b]) return labels[a] === labels[b];
    // A base keeps its declaration: to take it for the definition would lose that for all who name the base's type.
    const declaration = forward[a] === 1 ? a : b;
    const definition = declaration === a ? b : a;
    if (declaration < firstId && definition >= firstId) return false;
    return tags[a] !== 0 && tags[a] === tags[b];
  }

  /** Without shortening the ways: they must be as they were after an undo, and by their sizes they are short. */
  #root(id: number): number {
    let at = id;
    while (this.#parents[at] !== at) at = this.#parents[at] as number;
    return at;
  }

  #union(a: number, b: number): void {
    if (a === b) return;
    const [child, parent] = (this.#sizes[a] as number) < (this.#sizes[b] as number) ? [a, b] : [b, a];
    const { forward } = this.#graph;
    const bestChild = this.#best[child] as number;
    const bestParent = this.#best[parent] as number;
    this.#log.push(child, parent, bestParent);
    this.#parents[child] = parent;
    this.#sizes[parent] = (this.#sizes[parent] as number) + (this.#sizes[child] as number);
    const better =
      forward[bestChild] === forward[bestParent]
        ? bestChild < bestParent
        : (forward[bestChild] as number) < (forward[bestParent] as number);
    if (better) this.#best[parent] = bestChild;
  }

  #undo(): void {
    for (let at = this.#log.length - 3; at >= 0; at -= 3) {
      const child = this.#log[at] as number;
      const parent = this.#log[at + 1] as number;
      this.#parents[child] = child;
      this.#sizes[parent] = (this.#sizes[parent] as number) - (this.#sizes[child] as number);
      this.#best[parent] = this.#log[at + 2] as number;
    }
    this.#log.length = 0;
  }
}
