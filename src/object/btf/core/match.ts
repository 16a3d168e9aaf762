import type { Btf } from "../btf.ts";
import { essentialName } from "../essential-name.ts";
import { type Access, isFlexible, MAX_STEPS, type Step } from "./access.ts";
import { fieldsCompatible, typesCompatible, typesMatch } from "./compatible.ts";
import { CoreError, isTypeKind, type RelocationKind } from "./relocation.ts";

/** The path in the candidate type that is the same as `local` in the object's; undefined when it has none. */
export function matchAccess(kind: RelocationKind, local: Access, target: Btf, candidate: number): Access | undefined {
  const at = (steps: readonly Step[], bitOffset = 0): Access => ({ btf: target, root: candidate, steps, bitOffset });
  if (isTypeKind(kind)) {
    const fits = kind === "typeMatches" ? typesMatch : typesCompatible;
    return fits(local.btf, local.root, target, candidate) ? at([]) : undefined;
  }
  if (kind === "enumValue" || kind === "enumValueExists") {
    const step = matchEnumValue(local.steps[0]?.name ?? "", target, candidate);
    return step && at([step]);
  }
  const steps: Step[] = [];
  let id = candidate;
  let bitOffset = 0;
  for (const [i, step] of local.steps.entries()) {
    id = target.resolve(id);
    if (step.name !== undefined) {
      const found = matchMember(local.btf, step, target, id);
      if (found === undefined) return undefined;
      steps.push(found.step);
      bitOffset += found.bitOffset;
      id = found.type;
      continue;
    }
    // The first step counts whole root types; the others go into an array.
    if (i > 0) {
      const array = target.type(id);
      if (array.kind !== "array") return undefined;
      if (step.index >= array.length && !isFlexible(target, steps.at(-1), array.length)) return undefined;
      id = target.resolve(array.element);
    }
    steps.push({ type: id, index: step.index });
    bitOffset += step.index * target.sizeOf(id) * 8;
  }
  return at(steps, bitOffset);
}

function matchEnumValue(name: string, target: Btf, candidate: number): Step | undefined {
  const id = target.resolve(candidate);
  const type = target.type(id);
  if (type.kind !== "enum" && type.kind !== "enum64") return undefined;
  const wanted = essentialName(name);
  const index = type.values.findIndex((value) => essentialName(value.name) === wanted);
  return index < 0 ? undefined : { type: id, index, name: type.values[index]?.name ?? "" };
}

interface FoundMember {
  readonly step: Step;
  /** From the beginning of the struct that was searched. */
  readonly bitOffset: number;
  /** The member's type. */
  readonly type: number;
}

/** The member of a struct, or of the unnamed structs in it, that has the name of ours and a type like it. */
function matchMember(local: Btf, wanted: Step, target: Btf, id: number, depth = 0): FoundMember | undefined {
  if (depth > MAX_STEPS)
    throw new CoreError(`Structs are nested more than ${MAX_STEPS} deep, which CO-RE does not follow.`);
  const owner = local.type(wanted.type);
  const ours = owner.kind === "struct" || owner.kind === "union" ? owner.members[wanted.index] : undefined;
  const resolved = target.resolve(id);
  const type = target.type(resolved);
  if (ours === undefined || (type.kind !== "struct" && type.kind !== "union")) return undefined;
  for (const [index, member] of type.members.entries()) {
    if (member.name === "") {
      const inner = matchMember(local, wanted, target, member.type, depth + 1);
      if (inner !== undefined) return { ...inner, bitOffset: inner.bitOffset + member.bitOffset };
    } else if (member.name === ours.name) {
      if (!fieldsCompatible(local, ours.type, target, member.type)) return undefined;
      return { step: { type: resolved, index, name: member.name }, bitOffset: member.bitOffset, type: member.type };
    }
  }
  return undefined;
}
