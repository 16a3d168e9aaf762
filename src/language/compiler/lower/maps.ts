import type { Expr, Local, MapDecl, MapExpr } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { isAggregate, sizeOf, type Type, U32 } from "../type.ts";
import { CALLEE } from "./callees.ts";
import { into } from "./into.ts";
import type { Destination, Lowering } from "./lowering.ts";
import { zero } from "./memory.ts";
import type { Pair } from "./optionals.ts";
import { nameOf } from "./places.ts";
import { loadScalar, storeScalar } from "./scalar-memory.ts";
import { sameLayout } from "./shape.ts";
import { value } from "./value.ts";
import { hasEffects } from "./walk.ts";

/** Flags of bpf_map_update_elem. */
const UPDATE = { any: 0n, noexist: 1n, exist: 2n } as const;
/** BPF_LOCAL_STORAGE_GET_F_CREATE. */
const CREATE = 1n;

/** Bytes that are zeroed on the stack; the zeros that more begin with stand in constant memory. */
const ZEROED = 8;

type MapOp<Op extends MapExpr["op"]> = Extract<Expr, { readonly op: Op }>;

export function isArray({ kind }: MapDecl): boolean {
  return kind === "array" || kind === "perCpuArray";
}

export function valueType(map: MapDecl): Type {
  if (map.value === undefined) throw new Error(`map ${map.name} has no values`);
  return map.value;
}

/** A key as helpers take it: its address on the stack. */
function keyAddress(l: Lowering, map: MapDecl, key: Expr): Inst {
  if (isArray(map)) return indexAddress(l, arrayIndex(l, map, key));
  return inMemory(l, map.key ?? key.type, key, "key");
}

/** The address of memory that holds the value: what stands on the stack in just this form is taken where it is. */
function inMemory(l: Lowering, type: Type, expr: Expr, name: string): Inst {
  return onStack(l, type, expr) ?? copied(l, type, expr, name);
}

export function copied(l: Lowering, type: Type, expr: Expr, name: string): Inst {
  const made = l.temporary(type, name);
  into(l, type, expr, made);
  return made.base;
}

function onStack(l: Lowering, type: Type, expr: Expr): Inst | undefined {
  if (!isAggregate(type) || !sameLayout(type, expr.type)) return undefined;
  const local = expr.op === "local" ? expr.local : wholeLocal(expr);
  if (local === undefined) return undefined;
  const storage = l.storage(local);
  return storage.kind === "slot" && storage.slot.size === sizeOf(type) ? l.b.slot(storage.slot) : undefined;
}

/** The local that an expression reads all of. */
function wholeLocal(expr: Expr): Local | undefined {
  if (expr.op !== "read" || expr.place.base.kind !== "local") return undefined;
  return expr.place.offset === 0 && expr.place.indices.length === 0 ? expr.place.base.local : undefined;
}

function arrayIndex(l: Lowering, map: MapDecl, key: Expr): Inst {
  const given = value(l, key);
  return given.op === "const" && given.imm < BigInt(map.maxEntries)
    ? given
    : l.bound(given, map.maxEntries, `\`${map.name}\``, nameOf(key));
}

function indexAddress(l: Lowering, index: Inst): Inst {
  const made = l.temporary(U32, "index");
  storeScalar(l, U32, made.base, 0, index);
  return made.base;
}

export function lookup(l: Lowering, map: MapDecl, key: Inst): Inst {
  return l.b.call(CALLEE.mapLookup, [l.b.map(map.name), key], { kind: "memory", nullable: true });
}

/** Whether it is an array of one element, whose address the kernel puts into the program. */
function isOne({ kind, maxEntries }: MapDecl): boolean {
  return kind === "array" && maxEntries === 1;
}

/**
 * The address of an array's element. The kernel wants it tested, although it is always there: where it is not, the program
 * ends.
 */
export function arrayElement(l: Lowering, map: MapDecl, index: Inst): Inst {
  if (isOne(map)) return l.b.global(map.name, 0);
  const element = lookup(l, map, indexAddress(l, index));
  l.isNull(element, () => l.leave());
  return element;
}

/** `map.get(key)` of a scalar: whether it is there, and what it is. */
export function lookupScalar(l: Lowering, { map, key }: MapOp<"mapGet">): Pair {
  const { b } = l;
  const type = valueType(map);
  if (isArray(map)) {
    const index = arrayIndex(l, map, key);
    const one = b.constant(1n);
    if (isOne(map)) return { present: one, value: loadScalar(l, type, b.global(map.name, 0), 0) };
    const element = lookup(l, map, indexAddress(l, index));
    const load = () => loadScalar(l, type, element, 0);
    return { present: one, value: l.choose("eq", element, l.zero(), () => l.zero(), load) };
  }
  const found = lookup(l, map, keyAddress(l, map, key));
  const present = l.newVariable();
  const got = l.newVariable();
  l.isNull(
    found,
    () => {
      b.write(present, b.constant(0n));
      b.write(got, b.constant(0n));
    },
    () => {
      b.write(present, b.constant(1n));
      b.write(got, loadScalar(l, type, found, 0));
    },
  );
  return { present: b.read(present), value: b.read(got) };
}

/** The element's address: null when it is not there, but for arrays, whose elements always are. */
export function mapRef(l: Lowering, { map, key }: MapOp<"mapRef" | "mapGet">): Inst {
  if (isArray(map)) return arrayElement(l, map, arrayIndex(l, map, key));
  return lookup(l, map, keyAddress(l, map, key));
}

export function mapHas(l: Lowering, { map, key }: MapOp<"mapHas">): Inst {
  const found = lookup(l, map, keyAddress(l, map, key));
  return l.truth("ne", found, l.zero());
}

/** `map.set(key, value)`: whether it was written. */
export function mapSet(l: Lowering, { map, key, value: given, flags, counted }: MapOp<"mapSet">): Inst {
  const { b } = l;
  const type = valueType(map);
  if (isArray(map) && !isAggregate(type) && flags !== "noexist") {
    // In place: one call less than an update, and no copy.
    const index = arrayIndex(l, map, key);
    const stored = value(l, given);
    storeScalar(l, type, arrayElement(l, map, index), 0, stored);
    return b.constant(1n);
  }
  // What is done for the value may change what the key stands in.
  const at = hasEffects(given) && !isArray(map) ? copied(l, map.key ?? key.type, key, "key") : keyAddress(l, map, key);
  const memory = inMemory(l, type, given, "value");
  return succeeded(l, update(l, map, at, memory, UPDATE[flags]), counted ? map : undefined, REFUSED[flags]);
}

export function update(l: Lowering, map: MapDecl, key: Inst, memory: Inst, flags: bigint): Inst {
  return l.b.call(CALLEE.mapUpdate, [l.b.map(map.name), key, memory, l.b.constant(flags)]);
}

/** What an update says of a key that is there (−EEXIST), or is not (−ENOENT), where that is what it was asked: nothing is lost then. */
const REFUSED: Readonly<Record<"any" | "noexist" | "exist", bigint | undefined>> = {
  any: undefined,
  noexist: -17n,
  exist: -2n,
};

/** Whether a helper gave 0; a failure is counted in the losses of `map`, but for one that is an answer. */
export function succeeded(l: Lowering, status: Inst, map?: MapDecl, answer?: bigint): Inst {
  const { b } = l;
  const result = l.newVariable();
  l.when(
    "eq",
    status,
    l.zero(),
    () => b.write(result, b.constant(1n)),
    () => {
      if (map !== undefined && answer === undefined) l.countLoss(map);
      // Before Linux 6.4 an error has the lower half of the register only.
      else if (map !== undefined && answer !== undefined)
        l.when("ne", b.sext(status, 4), b.constant(answer), () => l.countLoss(map));
      b.write(result, b.constant(0n));
    },
  );
  return b.read(result);
}

/** The element's address, put there first when it is not there; null when there is no room. */
export function mapGetOrInsert(l: Lowering, { map, key, initial, counted }: MapOp<"mapGetOrInsert">): Inst {
  if (isArray(map)) return arrayElement(l, map, arrayIndex(l, map, key));
  const type = valueType(map);
  const at = keyAddress(l, map, key);
  // What has effects happens whether it is needed or not, as in any call.
  const eager = initial !== undefined && hasEffects(initial) ? copied(l, type, initial, "initial") : undefined;
  return findOrInsert(
    l,
    map,
    at,
    (to) => {
      if (eager !== undefined) return eager;
      if (initial !== undefined) into(l, type, initial, to());
      else if (sizeOf(type) > ZEROED) return l.b.global(".rodata", l.unit.layout.zeros(sizeOf(type)));
      else zero(l, to(), 0, sizeOf(type));
      return undefined;
    },
    counted,
  );
}

/**
 * Looks the key up; where it is missing, puts a value there unless somebody else did meanwhile, and looks again. Null, and
 * counted, when there is no room. `make` writes the first value, or gives its address.
 */
export function findOrInsert(
  l: Lowering,
  map: MapDecl,
  key: Inst,
  make: (to: () => Destination) => Inst | undefined,
  counted: boolean,
): Inst {
  const { b } = l;
  const element = l.newVariable();
  const found = lookup(l, map, key);
  b.write(element, found);
  l.isNull(found, () => {
    let made: Destination | undefined;
    const given = make(() => {
      made ??= l.temporary(valueType(map), "initial");
      return made;
    });
    update(l, map, key, given ?? (made as Destination).base, UPDATE.noexist);
    const second = lookup(l, map, key);
    b.write(element, second);
    if (counted) l.isNull(second, () => l.countLoss(map));
  });
  return b.read(element);
}

export function mapDelete(l: Lowering, { map, key }: MapOp<"mapDelete">): Inst {
  return succeeded(l, l.b.call(CALLEE.mapDelete, [l.b.map(map.name), keyAddress(l, map, key)]));
}

/** A task's own value: null when there is none, or, with `create`, when none could be made. */
export function storageGet(l: Lowering, { map, object, create }: MapOp<"storageGet">): Inst {
  const { b } = l;
  const of = value(l, object);
  return b.call(CALLEE.storageGet, [b.map(map.name), of, b.constant(0n), b.constant(create ? CREATE : 0n)], {
    kind: "memory",
    nullable: true,
  });
}

export function storageDelete(l: Lowering, { map, object }: MapOp<"storageDelete">): Inst {
  return succeeded(l, l.b.call(CALLEE.storageDelete, [l.b.map(map.name), value(l, object)]));
}
