import { attachStructOps, type Link } from "../../link/index.ts";
import { type BpfMap, StructOpsMap } from "../../map/index.ts";
import { own } from "../own.ts";
import type { Program } from "../program.ts";
import { AttachError } from "./attach-error.ts";
import { type AttachPlaces, attacherOf } from "./attachers.ts";

/** How the programs of an object are attached. */
export interface AttachOptions extends AttachPlaces {
  /**
   * How single programs are attached, where their sections do not say all of it: what is given to the function is what
   * has to be attached. `false` leaves a program alone.
   */
  readonly programs?: Readonly<Record<string, false | ((program: Program) => Link)>>;
}

/** What there is to attach. */
export interface Attachables {
  /** By name, what has to be attached for it. */
  readonly programs: Readonly<Record<string, Program>>;
  readonly maps: Readonly<Record<string, BpfMap>>;
  /** Programs that are called by others, through the slots of a map: nothing else runs them. */
  readonly called: ReadonlySet<string>;
}

/**
 * Attaches all programs that can be, and puts tables of functions into force; by name. When one fails, those made before
 * it are undone. Throws AttachError and what the functions for the kinds throw.
 */
export function attachAll({ programs, maps, called }: Attachables, options: AttachOptions): ReadonlyMap<string, Link> {
  const ways = options.programs ?? {};
  for (const name of Object.keys(ways)) {
    if (!Object.hasOwn(programs, name))
      throw new AttachError(
        `The object has no loaded program "${name}" (it has: ${Object.keys(programs).join(", ") || "none"}).`,
      );
  }
  const links = new Map<string, Link>();
  try {
    for (const [name, program] of Object.entries(programs)) {
      const link = attachOne(name, program, { called, maps }, options);
      if (link !== undefined) links.set(name, link);
    }
    for (const [name, map] of Object.entries(maps))
      if (map instanceof StructOpsMap) links.set(name, attachStructOps(map));
  } catch (error) {
    for (const link of links.values()) link.close();
    throw error;
  }
  return links;
}

/**
 * Attaches one program by what its section says, as often as it is asked; `maps` are those of its object. Throws AttachError where
 * the section does not say enough, and what the functions for the kinds throw.
 */
export function attachProgram(
  program: Program,
  places: AttachPlaces = {},
  maps: Readonly<Record<string, BpfMap>> = {},
): Link {
  const attacher = attacherOf(program.spec);
  if (attacher === undefined)
    throw new AttachError(
      `Program "${program.name}" (${program.spec.section ?? program.spec.type}) is attached nowhere: something else runs or holds it.`,
    );
  return attacher.attach(program, attacher.where, { places, maps });
}

function attachOne(
  name: string,
  program: Program,
  { called, maps }: Omit<Attachables, "programs">,
  options: AttachOptions,
): Link | undefined {
  const way = own(options.programs, name);
  if (way === false) return undefined;
  if (way !== undefined) return way(program);
  if (called.has(name)) return undefined;
  const attacher = attacherOf(program.spec);
  return attacher?.attach(program, attacher.where, { places: options, maps });
}
