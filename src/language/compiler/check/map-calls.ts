import type { CallExpression, Expression } from "@oxc-project/types";
import type { Expr, MapDecl } from "../hir.ts";
import { BOOL, I64, isAggregate, type Type, U32, VOID } from "../type.ts";
import { argument, argumentsOf, memoryArgument } from "./calls.ts";
import { constantOf, tryConstant } from "./constants.ts";
import { value } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { inferKey } from "./infer.ts";
import { asInteger, number } from "./integers.ts";
import { listed, meant, referenceTo } from "./members.ts";
import { typeOfDescriptor } from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

const FLAGS = ["any", "noexist", "exist"] as const;

/** A method of a map. */
export function mapCall(fc: FunctionChecker, map: MapDecl, method: string, node: CallExpression): Expr {
  if (map.aggregate !== undefined) return aggregateCall(fc, map, method, node);
  switch (map.kind) {
    case "ringbuf":
      return ringCall(fc, map, method, node);
    case "progArray":
      return programArrayCall(fc, map, method, node);
    case "cgroupArray": {
      if (method !== "currentTaskUnder") return noMethod(fc, map, method, node, ["currentTaskUnder"]);
      const [at] = argumentsOf(fc, node, method, 1) as [Expression];
      return { op: "taskUnder", map, index: indexInto(fc, map, at), type: BOOL, span: fc.span(node) };
    }
    case "stackTrace":
      if (method === "id" || method === "userId") {
        argumentsOf(fc, node, method, 0);
        return { op: "stackId", map, user: method === "userId", type: I64, span: fc.span(node) };
      }
      return noMethod(fc, map, method, node, ["id", "userId"]);
    case "taskStorage":
      return storageCall(fc, map, method, node);
    case "array":
    case "perCpuArray":
      return arrayCall(fc, map, method, node);
    default:
      return hashCall(fc, map, method, node);
  }
}

function isPerCpu({ kind }: MapDecl): boolean {
  return kind === "perCpuHash" || kind === "lruPerCpuHash" || kind === "perCpuArray";
}

function typesOf(map: MapDecl): { key: Type; of: Type } {
  if (map.key === undefined || map.value === undefined) throw new Error(`${map.name} has no keys`);
  return { key: map.key, of: map.value };
}

function hashCall(fc: FunctionChecker, map: MapDecl, method: string, node: CallExpression): Expr {
  const { key: keyType, of } = typesOf(map);
  const span = fc.span(node);
  const keyOf = (at: Expression): Expr => argument(fc, at, keyType, `a key of \`${map.name}\``);
  const copied: Type = isAggregate(of) ? { kind: "reference", to: of, memory: "map" } : of;
  switch (method) {
    case "get": {
      const [key] = argumentsOf(fc, node, method, 1) as [Expression];
      return { op: "mapGet", map, key: keyOf(key), type: { kind: "optional", of: copied }, span };
    }
    case "ref": {
      const [key] = argumentsOf(fc, node, method, 1) as [Expression];
      return {
        op: "mapRef",
        map,
        key: keyOf(key),
        type: { kind: "optional", of: referenceTo(of, "map", isPerCpu(map)) },
        span,
      };
    }
    case "has": {
      const [key] = argumentsOf(fc, node, method, 1) as [Expression];
      return { op: "mapHas", map, key: keyOf(key), type: BOOL, span };
    }
    case "set": {
      const [key, next, how] = argumentsOf(fc, node, method, 2, 3) as [Expression, Expression, Expression?];
      const flags = how === undefined ? "any" : constantOf(fc.cx, fc.file, how);
      if (!FLAGS.some((one) => one === flags))
        return fc.fail("TS2345", how ?? node, 'How a value is set is "any", "noexist" or "exist".');
      const given = argument(fc, next, of, `a value of \`${map.name}\``);
      return {
        op: "mapSet",
        map,
        key: keyOf(key),
        value: given,
        flags: flags as (typeof FLAGS)[number],
        counted: false,
        type: BOOL,
        span,
      };
    }
    case "getOrInsert": {
      const [key, first] = argumentsOf(fc, node, method, 1, 2) as [Expression, Expression?];
      const initial = first === undefined ? undefined : argument(fc, first, of, `a value of \`${map.name}\``);
      return {
        op: "mapGetOrInsert",
        map,
        key: keyOf(key),
        initial,
        counted: true,
        type: { kind: "optional", of: referenceTo(of, "map", isPerCpu(map)) },
        span,
      };
    }
    case "delete": {
      const [key] = argumentsOf(fc, node, method, 1) as [Expression];
      return { op: "mapDelete", map, key: keyOf(key), type: BOOL, span };
    }
    default:
      return noMethod(fc, map, method, node, ["get", "ref", "has", "set", "getOrInsert", "delete"]);
  }
}

function arrayCall(fc: FunctionChecker, map: MapDecl, method: string, node: CallExpression): Expr {
  const { of } = typesOf(map);
  const span = fc.span(node);
  const indexOf = (at: Expression): Expr => indexInto(fc, map, at);
  switch (method) {
    case "get": {
      const [at] = argumentsOf(fc, node, method, 1) as [Expression];
      return {
        op: "mapGet",
        map,
        key: indexOf(at),
        type: isAggregate(of) ? { kind: "reference", to: of, memory: "map" } : of,
        span,
      };
    }
    case "ref": {
      const [at] = argumentsOf(fc, node, method, 1) as [Expression];
      return { op: "mapRef", map, key: indexOf(at), type: referenceTo(of, "map", isPerCpu(map)), span };
    }
    case "set": {
      const [at, next] = argumentsOf(fc, node, method, 2) as [Expression, Expression];
      const given = argument(fc, next, of, `a value of \`${map.name}\``);
      return { op: "mapSet", map, key: indexOf(at), value: given, flags: "any", counted: false, type: BOOL, span };
    }
    default:
      return noMethod(fc, map, method, node, ["get", "ref", "set"]);
  }
}

/** An index of an array; one that is known is looked at here. */
function indexInto(fc: FunctionChecker, map: MapDecl, at: Expression): Expr {
  const index = asInteger(fc, value(fc, at), at);
  if (index.op === "number" && (index.value < 0n || index.value >= BigInt(map.maxEntries)))
    return fc.fail(
      "EB3101",
      at,
      `Index ${index.value} is none of \`${map.name}\`, which has ${map.maxEntries} entries.`,
    );
  return index;
}

/** `programs.tailCall("report")`, `programs.tailCall(index)`. */
function programArrayCall(fc: FunctionChecker, map: MapDecl, method: string, node: CallExpression): Expr {
  if (method !== "tailCall") return noMethod(fc, map, method, node, ["tailCall"]);
  const [at] = argumentsOf(fc, node, method, 1) as [Expression];
  const span = fc.span(node);
  const name = tryConstant(fc.cx, fc.file, at);
  if (typeof name !== "string") return { op: "tailCall", map, index: indexInto(fc, map, at), type: VOID, span };
  const index = map.programs?.indexOf(name) ?? -1;
  if (index < 0)
    return fc.fail("TS2345", at, `There is no program "${name}" in \`${map.name}\`.`, meant(name, map.programs ?? []));
  return { op: "tailCall", map, index: number(BigInt(index), fc.span(at)), type: VOID, span };
}

function ringCall(fc: FunctionChecker, map: MapDecl, method: string, node: CallExpression): Expr {
  const span = fc.span(node);
  // Where its records are of several types, each call says which.
  const several = map.value === undefined ? 1 : 0;
  const recordOf = (descriptor: Expression | undefined): Type => {
    if (map.value !== undefined || descriptor === undefined) return map.value ?? VOID;
    const type = typeOfDescriptor(fc.cx, fc.file, descriptor);
    if (type.kind === "struct") return type;
    return fc.fail("EB2022", descriptor, `A record is a struct; this is ${typeName(type)}.`);
  };
  switch (method) {
    case "emit": {
      const args = argumentsOf(fc, node, method, 1 + several) as [Expression, ...Expression[]];
      const record = recordOf(args[0]);
      const event = args[several] as Expression;
      const given = argument(fc, event, record, `an event of \`${map.name}\``);
      return { op: "ringEmit", map, record, value: given, type: BOOL, span };
    }
    case "reserve": {
      const record = recordOf(argumentsOf(fc, node, method, several)[0]);
      const of: Type = { kind: "reference", to: record, memory: "ring" };
      return { op: "ringReserve", map, record, type: { kind: "optional", of }, span };
    }
    case "output": {
      if (several === 0) break;
      const [what, most] = argumentsOf(fc, node, method, 1, 2) as [Expression, Expression?];
      return { op: "ringOutput", map, ...memoryArgument(fc, what, most), type: BOOL, span };
    }
    default:
  }
  return noMethod(fc, map, method, node, several === 0 ? ["emit", "reserve"] : ["emit", "reserve", "output"]);
}

function storageCall(fc: FunctionChecker, map: MapDecl, method: string, node: CallExpression): Expr {
  const of = map.value ?? VOID;
  const span = fc.span(node);
  const objectOf = (at: Expression): Expr => {
    const given = value(fc, at);
    if (given.type.kind === "kernelPointer" && given.type.name === "task_struct" && given.type.trust === "trusted")
      return given;
    return fc.fail("EB3106", at, `\`${fc.text(at)}\` is no task that the kernel vouches for.`, {
      why: "Task storage hangs on a task: the kernel must know that it lives while the program runs.",
      help: "Use `task()`, or a task that is an argument of the program.",
    });
  };
  switch (method) {
    case "get":
    case "getOrInsert": {
      const [task] = argumentsOf(fc, node, method, 1) as [Expression];
      const object = objectOf(task);
      return {
        op: "storageGet",
        map,
        object,
        create: method === "getOrInsert",
        type: { kind: "optional", of: referenceTo(of, "storage", false) },
        span,
      };
    }
    case "delete": {
      const [task] = argumentsOf(fc, node, method, 1) as [Expression];
      return { op: "storageDelete", map, object: objectOf(task), type: BOOL, span };
    }
    default:
      return noMethod(fc, map, method, node, ["get", "getOrInsert", "delete"]);
  }
}

/** Counters, sums, histograms: what is added, under a key when it has keys. */
function aggregateCall(fc: FunctionChecker, map: MapDecl, method: string, node: CallExpression): Expr {
  const kind = map.aggregate?.kind ?? "counter";
  if (fc.cx.untyped.has(map)) inferKey(fc, map, node);
  const keyType = keyOfAggregate(map);
  const span = fc.span(node);
  const keys = keyType === undefined ? 0 : 1;
  const split = (most: number): [Expr | undefined, Expression | undefined] => {
    const list = argumentsOf(fc, node, method, keys + most);
    const key =
      keyType === undefined ? undefined : argument(fc, list[0] as Expression, keyType, `a key of \`${map.name}\``);
    return [key, list[keys]];
  };
  const record = (key: Expr | undefined, given: Expr): Expr => ({
    op: "mapRecord",
    map,
    key,
    value: given,
    type: VOID,
    span,
  });
  if (kind === "counter") {
    if (method === "inc") return record(split(0)[0], { op: "number", value: 1n, type: U32, span });
    if (method === "add") {
      const [key, by] = split(1);
      return record(key, asInteger(fc, value(fc, by as Expression), by as Expression));
    }
    return noMethod(fc, map, method, node, ["inc", "add"]);
  }
  const name = kind === "sum" ? "add" : "record";
  if (method !== name) return noMethod(fc, map, method, node, [name]);
  const [key, what] = split(1);
  return record(key, asInteger(fc, value(fc, what as Expression), what as Expression));
}

/** The key that people give; histograms have the bucket behind it. */
function keyOfAggregate(map: MapDecl): Type | undefined {
  const kind = map.aggregate?.kind;
  if (kind !== "log2" && kind !== "linear")
    return map.kind === "perCpuArray" || map.kind === "array" ? undefined : map.key;
  return map.key?.kind === "struct" ? map.key.fields.find(({ name }) => name === "key")?.type : undefined;
}

function noMethod(
  fc: FunctionChecker,
  map: MapDecl,
  method: string,
  node: CallExpression,
  methods: readonly string[],
): never {
  return fc.fail(
    "TS2339",
    node,
    `\`${map.name}\` has no method \`${method}\`.`,
    meant(method, methods, listed(methods)),
  );
}
