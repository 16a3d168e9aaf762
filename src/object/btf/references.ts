import type { BtfType } from "./type.ts";

/** The ids a type names, in a fixed order: two types of one shape name theirs in the same places. 0 is void. */
export function referencesOf(type: BtfType): readonly number[] {
  switch (type.kind) {
    case "pointer":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "function":
    case "variable":
    case "declTag":
    case "typeTag":
      return [type.type];
    case "array":
      return [type.element, type.index];
    case "struct":
    case "union":
      return type.members.map((member) => member.type);
    case "prototype":
      return [type.result, ...type.parameters.map((parameter) => parameter.type)];
    case "section":
      return type.variables.map((variable) => variable.type);
    default:
      return [];
  }
}

/** The same type with other ids. */
export function mapReferences(type: BtfType, map: (id: number) => number): BtfType {
  switch (type.kind) {
    case "pointer":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "function":
    case "variable":
    case "declTag":
    case "typeTag":
      return { ...type, type: map(type.type) };
    case "array":
      return { ...type, element: map(type.element), index: map(type.index) };
    case "struct":
    case "union":
      return { ...type, members: type.members.map((member) => ({ ...member, type: map(member.type) })) };
    case "prototype":
      return {
        ...type,
        result: map(type.result),
        parameters: type.parameters.map((parameter) => ({ ...parameter, type: map(parameter.type) })),
      };
    case "section":
      return { ...type, variables: type.variables.map((variable) => ({ ...variable, type: map(variable.type) })) };
    default:
      return type;
  }
}
