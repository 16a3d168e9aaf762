import type { ObjectSpec } from "../../../object/spec/index.ts";
import type { Link } from "../../link/index.ts";
import { type BpfMap, StructOpsMap } from "../../map/index.ts";
import { type AttachOptions, attachAll } from "../attach/attach-object.ts";
import { giveUpPoints, loadParts, type ObjectLoadOptions, type Parts, type Taken } from "../load-parts.ts";
import { runningProgramsEnd } from "./grace.ts";
import type { PinFolder } from "./pin-folder.ts";
import { planMaps } from "./plan.ts";
import { ReplaceError } from "./replace-error.ts";
import { isSamePlace, type ObjectShape } from "./shape.ts";

/**
 * How what a map holds comes into the map that takes its place. `prepare` runs before the new programs are in force: the old
 * ones still write to `before`. `settle` runs when the last of the old ones has ended: `before` does not change any more,
 * and the new ones have been at work in `after`. A function alone is `prepare`.
 */
export type Migration =
  | ((before: BpfMap, after: BpfMap) => void)
  | {
      readonly prepare?: (before: BpfMap, after: BpfMap) => void;
      readonly settle?: (before: BpfMap, after: BpfMap) => void;
    };

/** Values of variables and the choice of programs are those of the first load, unless they are given again. */
export interface ReplaceOptions extends Pick<ObjectLoadOptions, "variables" | "programs"> {
  /** For maps that are not the same any more, by name. Without one for each of them nothing is replaced. */
  readonly migrate?: Readonly<Record<string, Migration>>;
}

interface Pinning {
  /** Where all of it is pinned, of an object that was installed. */
  readonly pins?: PinFolder | undefined;
}

/** What came of a replacement. */
export interface Replaced {
  /** Maps that go on being used. */
  readonly kept: readonly string[];
  /** Maps that were made anew and filled by their migration. */
  readonly migrated: readonly string[];
  /** Nanoseconds from the first change of an attachment until all new programs were in force; loading is before it. */
  readonly switchNs: number;
}

/** A loaded object and its attachments. */
export interface InForce {
  readonly parts: Parts;
  readonly links: ReadonlyMap<string, Link>;
  /** How it was attached; undefined when it was not. */
  readonly attached: AttachOptions | undefined;
  readonly options: ObjectLoadOptions;
}

/** What has to be attached for a program. */
export function attachablesOf({ programs, points }: Parts) {
  return Object.fromEntries(Object.entries(programs).map(([name, one]) => [name, points.get(name)?.program ?? one]));
}

/** A replacement that is loaded, and how it comes into force. */
export interface Replacement {
  readonly parts: Parts;
  readonly links: ReadonlyMap<string, Link>;
  readonly replaced: Replaced;
  /** Waits for the last of the old programs, ends the migrations and closes what is used no more. */
  readonly settle: () => Promise<void>;
}

/**
 * Puts an object in the place of another and switches over. When something fails, all is as it was. Throws ReplaceError, and
 * what loading and attaching throw.
 */
export function replaceObject(old: InForce, next: ObjectSpec, options: ReplaceOptions & Pinning): Replacement {
  const before = old.parts;
  const { migrate = {}, pins } = options;
  const shape = before.shape();
  const plan = planMaps(shape, before.made.live, next);
  const unexplained = [...plan.changed].filter(([name]) => !Object.hasOwn(migrate, name));
  if (unexplained.length > 0) {
    throw new ReplaceError(
      `${unexplained.map(([name, differences]) => `Map "${name}" is not what it was (${differences.join("; ")})`).join(". ")}. Say with migrate: { ${unexplained[0]?.[0]}: (before, after) => … } how what it holds is carried over (an empty function begins anew).`,
      Object.fromEntries(unexplained),
    );
  }
  const { programs: places } = shape;
  const taken: Taken = {
    switch: before.switch,
    pointsOf: (name, place) => (isSamePlace(places[name], place) ? before.points.get(name) : undefined),
  };
  const keptMaps = Object.fromEntries(plan.kept.map((name) => [name, before.made.live[name] as BpfMap]));
  const { migrate: _, pins: __, ...chosen } = options;
  const after = loadParts(next, { ...old.options, ...chosen, maps: { ...old.options.maps, ...keptMaps } }, taken);
  const changes = new Changes(places);
  try {
    for (const name of plan.changed.keys()) migration(migrate[name]).prepare?.(...pairOf(name, before, after));
    const begin = process.hrtime.bigint();
    changes.make(old, after);
    pins?.stage(after, changes.links, false);
    after.switch?.turn();
    const switchNs = Number(process.hrtime.bigint() - begin);
    const replaced = { kept: plan.kept, migrated: [...plan.changed.keys()], switchNs };
    const settle = async () => {
      try {
        for (const link of changes.ended) link.close();
        // Their pins held them, too.
        pins?.retire(after.switch?.turns);
        await runningProgramsEnd(old.options.token);
        for (const name of plan.changed.keys()) migration(migrate[name]).settle?.(...pairOf(name, before, after));
      } finally {
        closeBefore(before, after, keptMaps);
      }
    };
    return { parts: after, links: changes.links, replaced, settle };
  } catch (error) {
    changes.undo();
    closeNew(after, taken);
    throw error;
  }
}

/** Links as they become; what was done can be undone until the switch is turned. */
class Changes {
  readonly links = new Map<string, Link>();
  /** Attachments of programs that there are no more. */
  readonly ended: Link[] = [];
  readonly #undo: (() => void)[] = [];
  readonly #places: ObjectShape["programs"];

  constructor(places: ObjectShape["programs"]) {
    this.#places = places;
  }

  make({ parts: before, links, attached }: InForce, after: Parts): void {
    const attachables = attachablesOf(after);
    const fresh: typeof attachables = {};
    for (const [name, program] of Object.entries(attachables)) {
      const link = links.get(name);
      const isThere = isSamePlace(this.#places[name], program.spec);
      if (link === undefined || !isThere) {
        // What is attached for the first time follows the others; what was detached by hand stays so.
        if (attached !== undefined && !(isThere && before.programs[name] !== undefined)) fresh[name] = program;
      } else if (link.closed || after.points.has(name)) this.links.set(name, link);
      else {
        const was = before.programs[name];
        if (was === undefined) continue;
        this.#update(name, link, program, was);
      }
    }
    for (const [name, map] of Object.entries(after.made.live)) {
      const was = before.made.live[name];
      const link = links.get(name);
      if (!(map instanceof StructOpsMap) || was === undefined || link === undefined) continue;
      map.register();
      this.#update(name, link, map, was);
    }
    if (attached !== undefined) {
      const ways = Object.fromEntries(
        Object.entries(attached.programs ?? {}).filter(([name]) => Object.hasOwn(fresh, name)),
      );
      const maps = Object.fromEntries(Object.entries(after.made.live).filter(([name]) => !this.links.has(name)));
      const made = attachAll({ programs: fresh, maps, called: after.called }, { ...attached, programs: ways });
      for (const [name, link] of made) {
        this.links.set(name, link);
        this.#undo.push(() => link.close());
      }
    }
    const left = new Set(this.links.values());
    for (const link of links.values()) if (!left.has(link)) this.ended.push(link);
  }

  undo(): void {
    for (const one of this.#undo.reverse()) one();
  }

  #update(name: string, link: Link, to: Updatable, from: Updatable): void {
    if (link.fd === undefined) {
      throw new ReplaceError(
        `What is attached for "${name}" (${link.description}) cannot be given another program without a gap: this kernel keeps no link for it.`,
      );
    }
    try {
      link.update(to);
    } catch (error) {
      throw new ReplaceError(
        `What is attached for "${name}" (${link.description}) cannot be given another program: load the object with replaceable: true before it is attached; sleepable programs (SEC("….s")) cannot be replaced without a gap.`,
        {},
        { cause: error },
      );
    }
    this.links.set(name, link);
    this.#undo.push(() => link.update(from));
  }
}

type Updatable = Parameters<Link["update"]>[0];

function pairOf(name: string, before: Parts, after: Parts): [before: BpfMap, after: BpfMap] {
  return [before.made.live[name] as BpfMap, after.made.live[name] as BpfMap];
}

function migration(one: Migration | undefined): Exclude<Migration, (...args: never) => unknown> {
  return typeof one === "function" ? { prepare: one } : (one ?? {});
}

function closeBefore(before: Parts, after: Parts, kept: Readonly<Record<string, BpfMap>>): void {
  before.closeVariables();
  if (after.switch !== undefined) {
    after.switch.clear(after.switch.other);
    const used = new Set(after.points.values());
    for (const points of before.points.values()) if (!used.has(points)) after.switch.remove(points);
  }
  for (const program of Object.values(before.programs)) program.close();
  after.made.adopt(before.made, new Set(Object.values(kept)));
  before.made.close();
}

function closeNew(after: Parts, taken: Taken): void {
  after.closeVariables();
  for (const program of Object.values(after.programs)) program.close();
  giveUpPoints(after.switch, after.points, taken);
  after.made.giveUp();
}
