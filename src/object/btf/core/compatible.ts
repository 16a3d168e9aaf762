import type { Btf } from "../btf.ts";
import { essentialName } from "../essential-name.ts";
import type { BtfType } from "../type.ts";
import { CoreError } from "./relocation.ts";

/** How deep types may refer to each other: what libbpf allows. */
const DEPTH = 32;

const isEnum = (type: BtfType) => type.kind === "enum" || type.kind === "enum64";
const isComposite = (type: BtfType) => type.kind === "struct" || type.kind === "union";

/** Whether two types are of kinds that may stand for each other. */
export function sameKind(a: BtfType, b: BtfType): boolean {
  return a.kind === b.kind || (isEnum(a) && isEnum(b));
}

/**
 * Whether a member of one type can be read as a member of the other: any two structs, any two pointers, any two integers
 * of whole bytes, enums of one name, arrays of such. Sizes are not compared: a load is adapted to them.
 */
export function fieldsCompatible(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  let a = local.type(local.resolve(localId));
  let b = target.type(target.resolve(targetId));
  for (let depth = 0; ; depth++) {
    if (depth > DEPTH) throw tooDeep();
    if (isComposite(a) && isComposite(b)) return true;
    if (!sameKind(a, b)) return false;
    if (a.kind === "pointer" || a.kind === "float") return true;
    if (a.kind === "int" && b.kind === "int") return a.bitOffset === 0 && b.bitOffset === 0;
    if (isEnum(a) || a.kind === "forward") {
      const [ours, theirs] = [essentialName(a.name), essentialName(b.name)];
      return ours === "" || theirs === "" || ours === theirs;
    }
    if (a.kind !== "array" || b.kind !== "array") return false;
    a = local.type(local.resolve(a.element));
    b = target.type(target.resolve(b.element));
  }
}

/** Whether a type exists as another one, whose name is known to be the same: kinds are compared through pointers, arrays and functions, not members. */
export function typesCompatible(local: Btf, localId: number, target: Btf, targetId: number, level = DEPTH): boolean {
  // The kinds of the types as named are compared first: a typedef stands for no struct.
  if (!sameKind(local.type(localId), target.type(targetId))) return false;
  let [ours, theirs] = [localId, targetId];
  for (let depth = 0; ; depth++) {
    if (depth > DEPTH || level <= 0) throw tooDeep();
    const a = local.type(local.resolve(ours));
    const b = target.type(target.resolve(theirs));
    if (!sameKind(a, b)) return false;
    if (a.kind === "void" || isComposite(a) || isEnum(a) || a.kind === "forward") return true;
    if (a.kind === "int" && b.kind === "int") return a.bitOffset === 0 && b.bitOffset === 0;
    if (a.kind === "pointer" && b.kind === "pointer") [ours, theirs] = [a.type, b.type];
    else if (a.kind === "array" && b.kind === "array") [ours, theirs] = [a.element, b.element];
    else if (a.kind === "prototype" && b.kind === "prototype") {
      if (a.parameters.length !== b.parameters.length) return false;
      for (const [i, { type }] of a.parameters.entries()) {
        const other = b.parameters[i]?.type ?? 0;
        if (!typesCompatible(local, local.resolve(type), target, target.resolve(other), level - 1)) return false;
      }
      [ours, theirs] = [local.resolve(a.result), target.resolve(b.result)];
    } else return false;
  }
}

/** Whether all that a type of ours has is in a type of theirs, members and their types compared by name (`typeMatches`). */
export function typesMatch(
  local: Btf,
  localId: number,
  target: Btf,
  targetId: number,
  behindPointer = false,
  level = DEPTH,
): boolean {
  let [ours, theirs] = [localId, targetId];
  let pointed = behindPointer;
  for (let depth = 0; ; depth++) {
    if (depth > DEPTH || level <= 0) throw tooDeep();
    const a = local.type(local.resolve(ours));
    const b = target.type(target.resolve(theirs));
    if (!namesMatch(a.name, b.name)) return false;
    switch (a.kind) {
      case "void":
        return b.kind === "void";
      case "forward":
        if (b.kind === "forward") return a.union === b.union;
        return pointed && b.kind === (a.union ? "union" : "struct");
      case "enum":
      case "enum64":
        return (b.kind === "enum" || b.kind === "enum64") && enumsMatch(a, b);
      case "struct":
      case "union": {
        if (!pointed) return b.kind === a.kind && membersMatch(local, a, target, b, level);
        if (b.kind === "forward") return b.union === (a.kind === "union");
        return b.kind === a.kind;
      }
      case "int":
        return b.kind === "int" && a.size === b.size && a.signed === b.signed;
      case "pointer":
        if (b.kind !== "pointer") return false;
        pointed = true;
        [ours, theirs] = [a.type, b.type];
        break;
      case "array":
        if (b.kind !== "array" || a.length !== b.length) return false;
        [ours, theirs] = [a.element, b.element];
        break;
      case "prototype":
        if (b.kind !== "prototype" || a.parameters.length !== b.parameters.length) return false;
        for (const [i, { type }] of a.parameters.entries()) {
          if (!typesMatch(local, type, target, b.parameters[i]?.type ?? 0, pointed, level - 1)) return false;
        }
        [ours, theirs] = [a.result, b.result];
        break;
      default:
        return false;
    }
  }
}

type Struct = Extract<BtfType, { kind: "struct" | "union" }>;
type Enum = Extract<BtfType, { kind: "enum" | "enum64" }>;

function membersMatch(local: Btf, a: Struct, target: Btf, b: Struct, level: number): boolean {
  if (a.members.length > b.members.length) return false;
  return a.members.every((ours) =>
    b.members.some(
      (theirs) =>
        namesMatch(ours.name, theirs.name) && typesMatch(local, ours.type, target, theirs.type, false, level - 1),
    ),
  );
}

function enumsMatch(a: Enum, b: Enum): boolean {
  if (a.size !== b.size || a.values.length > b.values.length) return false;
  return a.values.every(({ name }) => b.values.some((theirs) => namesMatch(name, theirs.name)));
}

function namesMatch(ours: string, theirs: string): boolean {
  return essentialName(ours) === essentialName(theirs);
}

function tooDeep(): CoreError {
  return new CoreError(`Types refer to each other more than ${DEPTH} levels deep, which CO-RE does not follow.`);
}
