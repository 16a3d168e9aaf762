import { CLASS_MEMBERS } from "./class-members.ts";

/** Other names of a class: strace(1) takes both `%net` and `%network`. */
const ALIASES: Readonly<Record<string, string>> = { network: "net" };

const members = new Map<string, ReadonlySet<string>>();

/** The names of the calls of a class (without its `%`), on whatever architecture; undefined when there is no such class. */
export function classMembers(name: string): ReadonlySet<string> | undefined {
  const id = Object.hasOwn(ALIASES, name) ? (ALIASES[name] as string) : name;
  if (!Object.hasOwn(CLASS_MEMBERS, id)) return undefined;
  let set = members.get(id);
  if (set === undefined) {
    set = new Set((CLASS_MEMBERS[id] as string).split(/\s+/));
    members.set(id, set);
  }
  return set;
}

/** The classes there are, without their `%`. */
export function classNames(): readonly string[] {
  return Object.keys(CLASS_MEMBERS);
}

/** The classes a system call is in, as a filter writes them: `["%file", "%desc"]` for `openat`. */
export function syscallClasses(name: string): readonly string[] {
  return classNames()
    .filter((id) => classMembers(id)?.has(name))
    .map((id) => `%${id}`);
}
