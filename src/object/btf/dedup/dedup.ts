import { Btf } from "../btf.ts";
import { BtfError } from "../btf-error.ts";
import { BtfBuilder } from "../builder.ts";
import { mapReferences } from "../references.ts";
import { Classes } from "./classes.ts";
import { graphOf } from "./graph.ts";
import { joinComposites, joinForwards, joinLeaves, joinReferences, joinSections, joinTags } from "./phases.ts";

/** What `dedup` made of a table of types. */
export interface Deduplicated {
  readonly btf: Btf;
  /** What each id of the table given is in `btf`, from 0 (void) on. */
  readonly ids: Uint32Array;
}

/**
 * The same types, each once and in the order they had. Structs and unions are equal when their names, sizes and members are,
 * and the types of these in turn, circles among them included; there and elsewhere a forward declaration, or an enum without
 * values, stands for the definition of its name: the one it is compared with, or else the only one in the table. Variables
 * and functions are one when name, type and linkage are equal; static variables only together with their whole sections.
 * Declaration tags follow what they are on. Of a split table (one with a base) only its own types are looked at, and those
 * that the base has are taken from it.
 *
 * 250,000 types take about two seconds. Throws BtfError for a table that names ids it has not, or a typedef, pointer or
 * prototype that names itself without a struct between.
 */
export function dedup(btf: Btf): Deduplicated {
  const graph = graphOf(btf);
  const { firstId, endId } = graph;
  for (const reference of graph.references)
    if (reference >= endId) throw new BtfError(`There is no type ${reference}: the ids are 1 to ${endId - 1}.`);
  const classes = new Classes(graph);
  joinLeaves(graph, classes);
  joinComposites(graph, classes);
  joinForwards(graph, classes);
  joinReferences(graph, classes);
  joinSections(graph, classes);
  joinTags(graph, classes);

  const ids = Uint32Array.from({ length: endId }, (_, id) => id);
  const kept: number[] = [];
  for (let id = firstId; id < endId; id++) if (classes.representative(id) === id) kept.push(id);
  for (const [i, id] of kept.entries()) ids[id] = firstId + i;
  for (let id = firstId; id < endId; id++) ids[id] = ids[classes.representative(id)] as number;
  const builder = new BtfBuilder(btf.base === undefined ? { byteOrder: btf.byteOrder } : { base: btf.base });
  for (const id of kept) builder.add(mapReferences(btf.type(id), (reference) => ids[reference] as number));
  return { btf: Btf.parse(builder.build(), btf.base === undefined ? {} : { base: btf.base }), ids };
}
