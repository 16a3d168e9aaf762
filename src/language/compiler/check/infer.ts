import type { CallExpression } from "@oxc-project/types";
import type { MapDecl } from "../hir.ts";
import { I64, isAggregate, sizeOf, type Type, U64 } from "../type.ts";
import { argumentsOf } from "./calls.ts";
import { value } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { isAddress } from "./integers.ts";
import { bucketed } from "./map-declarations.ts";
import { contentOf } from "./places.ts";
import { layStruct } from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

/** Gives an aggregation of a one-liner the type of its first key, which `node` (`count.inc(key)`) has before all else. */
export function inferKey(fc: FunctionChecker, map: MapDecl, node: CallExpression): undefined {
  const [first] = argumentsOf(fc, node, map.name, 1, 2);
  if (first === undefined) return undefined;
  const type = keyType(contentOf(value(fc, first)).type);
  if (type === undefined)
    return fc.fail("EB2025", first, `\`${fc.text(first)}\` cannot be a key.`, {
      why: "A key is copied into the map: numbers, texts, bytes, and structs of such.",
      help: "For a kernel object take one of its fields, or its address: `u64(x)`.",
    });
  if (sizeOf(type) > MOST_BYTES)
    return fc.fail(
      "EB2025",
      first,
      `\`${fc.text(first)}\` is ${typeName(type)}: a key has ${MOST_BYTES} bytes at most.`,
    );
  const kind = map.aggregate?.kind;
  // The declaration is of the sugar's own making; nobody has looked at its key so far.
  (map as { key?: Type }).key = kind === "log2" || kind === "linear" ? bucketed(type) : type;
  fc.cx.untyped.delete(map);
  return undefined;
}

/** Keys are made on the stack, which has 512 bytes. */
const MOST_BYTES = 256;

/** The type that a key of a type has where it is stored; undefined for what cannot be. */
function keyType(type: Type): Type | undefined {
  if (type.kind === "int") return type.plain === true ? (type.signed ? I64 : U64) : type;
  if (isAddress(type)) return U64;
  if (type.kind === "struct") {
    const fields: { name: string; type: Type }[] = [];
    for (const { name, type: of } of type.fields) {
      const stored = keyType(of);
      if (stored === undefined) return undefined;
      fields.push({ name, type: stored });
    }
    return layStruct(type.name, fields);
  }
  return type.kind === "bool" || isAggregate(type) ? type : undefined;
}
