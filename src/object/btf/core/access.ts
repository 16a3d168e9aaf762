import type { Btf } from "../btf.ts";
import { CoreError, isTypeKind, type Relocation, typeText } from "./relocation.ts";

/** One step from a type to a part of it: a named member of a struct, or an element of an array. */
export interface Step {
  /** For members the struct, for elements the element's type; resolved. */
  readonly type: number;
  readonly index: number;
  /** The member's name; undefined for elements and for the root. */
  readonly name?: string;
}

/** A path from a root type to what a relocation is about. */
export interface Access {
  readonly btf: Btf;
  readonly root: number;
  readonly steps: readonly Step[];
  /** From the beginning of the root type to the last step. */
  readonly bitOffset: number;
}

/** Steps a path may have, as in libbpf and the kernel. */
export const MAX_STEPS = 64;

/**
 * An array of no length as the last member of its struct has as many elements as are asked for. `previous` is the step
 * that led to the array.
 */
export function isFlexible(btf: Btf, previous: Step | undefined, length: number): boolean {
  if (previous?.name === undefined || length > 0) return false;
  const owner = btf.type(previous.type);
  return (owner.kind === "struct" || owner.kind === "union") && previous.index === owner.members.length - 1;
}

/** Reads a relocation's path in the object's own types. Throws CoreError where there is no such path. */
export function parseAccess(btf: Btf, relocation: Relocation): Access {
  const { kind, type: root, access } = relocation;
  const wrong = (why: string) =>
    new CoreError(`The relocation ${kind} of ${typeText(btf, root)} at "${access}" ${why}.`);
  if (isTypeKind(kind)) {
    if (access !== "0") throw wrong('is about a type, and such have no path but "0"');
    return { btf, root, steps: [], bitOffset: 0 };
  }
  if (!/^\d+(:\d+)*$/.test(access)) throw wrong("has no readable path: numbers with colons between them");
  const [first = 0, ...rest] = access.split(":").map(Number);
  if (rest.length >= MAX_STEPS) throw wrong(`has more than ${MAX_STEPS} steps`);
  let id = btf.resolve(root);
  const start = btf.type(id);
  if (kind === "enumValue" || kind === "enumValueExists") {
    const value = start.kind === "enum" || start.kind === "enum64" ? start.values[first] : undefined;
    if (value === undefined || rest.length > 0) throw wrong("names no value of an enum");
    return { btf, root, steps: [{ type: id, index: first, name: value.name }], bitOffset: 0 };
  }
  const steps: Step[] = [{ type: id, index: first }];
  let bitOffset = first * btf.sizeOf(id) * 8;
  for (const index of rest) {
    id = btf.resolve(id);
    const type = btf.type(id);
    if (type.kind === "struct" || type.kind === "union") {
      const member = type.members[index];
      if (member === undefined)
        throw wrong(`asks for member ${index} of ${typeText(btf, id)}, which has ${type.members.length}`);
      bitOffset += member.bitOffset;
      if (member.name !== "") steps.push({ type: id, index, name: member.name });
      id = member.type;
    } else if (type.kind === "array") {
      if (index >= type.length && !isFlexible(btf, steps.at(-1), type.length))
        throw wrong(`asks for element ${index} of an array of ${type.length}`);
      id = btf.resolve(type.element);
      steps.push({ type: id, index });
      bitOffset += index * btf.sizeOf(id) * 8;
    } else {
      throw wrong(`goes into ${typeText(btf, id)}, which has no parts`);
    }
  }
  return { btf, root, steps, bitOffset };
}

/** `task_struct.comm[3]`, for people. */
export function accessText(btf: Btf, relocation: Relocation): string {
  const root = typeText(btf, relocation.type);
  try {
    const { steps } = parseAccess(btf, relocation);
    if (relocation.kind === "enumValue" || relocation.kind === "enumValueExists")
      return `${root}::${steps[0]?.name ?? "?"}`;
    const [first, ...rest] = steps;
    const path = rest.map(({ name, index }) => (name === undefined ? `[${index}]` : `.${name}`)).join("");
    return `${root}${first !== undefined && first.index > 0 ? `[${first.index}]` : ""}${path}`;
  } catch {
    return `${root} at ${relocation.access}`;
  }
}
