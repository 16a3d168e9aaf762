import { bucketOf, linearBucketOf } from "../../kernel/index.ts";
import type { Expr, FunctionDecl, Local, Loop, MapDecl, Module, Place, Stmt } from "../hir.ts";
import { type IntType, isAggregate, type StructType, sizeOf, type Type } from "../type.ts";
import {
  EvaluatedState,
  EvaluationError,
  type EvaluationWorld,
  hex,
  i64,
  indexKey,
  load,
  type Memory,
  store,
  u64,
  unhex,
} from "./evaluate-state.ts";

/** What an expression gives: a number, memory (aggregates, references, cells), or nothing. */
type Value = bigint | Memory | undefined;

/** How statements end: on to the next, or out. */
type End =
  | { readonly op: "break" | "continue"; readonly loop: Loop }
  | { readonly op: "return"; readonly value: Value }
  | undefined;

/** What the kernel lets no loop go beyond. */
const MOST_TURNS = 8_388_608n;
/** Turns of a loop without a bound of its own, before the evaluation is given up. */
const PATIENCE = 10_000_000;

/**
 * Evaluates a checked program as it stands, without compiling it: numbers as bigints, maps as JavaScript's, memory as bytes.
 * Slow, and as plain as can be: what the compiled program does is compared with it.
 *
 * It is for one CPU, and nobody comes between. LRU maps let go of what was put in first. Give `state` to go on with what
 * another run left.
 */
export function evaluateModule(
  module: Module,
  program: string,
  world: EvaluationWorld = {},
  state: EvaluatedState = new EvaluatedState(module),
): { readonly result: bigint; readonly state: EvaluatedState } {
  const decl = module.functions.find((each) => each.program !== undefined && each.name === program);
  if (decl === undefined) throw new EvaluationError(`the module has no program ${program}`);
  const result = new Evaluation(state, world).call(decl, []);
  return { result: typeof result === "bigint" ? result : 0n, state };
}

class Evaluation {
  readonly #state: EvaluatedState;
  readonly #world: EvaluationWorld;
  /** What locals hold: aggregates own their memory. Functions do not call themselves, so that one of each is enough. */
  readonly #locals = new Map<Local, Value>();
  /** Records that were reserved and neither submitted nor discarded. */
  readonly #open = new Map<Uint8Array, MapDecl>();

  constructor(state: EvaluatedState, world: EvaluationWorld) {
    this.#state = state;
    this.#world = world;
  }

  call(decl: FunctionDecl, args: readonly Value[]): Value {
    for (const [i, param] of decl.params.entries()) if (decl.program === undefined) this.#locals.set(param, args[i]);
    const end = this.#body(decl.body);
    if (end?.op === "return" && end.value !== undefined) return end.value;
    if (isAggregate(decl.result)) return fresh(decl.result);
    return decl.result.kind === "optional" ? undefined : 0n;
  }

  // Statements

  #body(body: readonly Stmt[]): End {
    for (const stmt of body) {
      const end = this.#stmt(stmt);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  #stmt(stmt: Stmt): End {
    switch (stmt.op) {
      case "let": {
        const { local, init } = stmt;
        if (isAggregate(local.type)) {
          const memory = fresh(local.type);
          if (init !== undefined) copy(memory, local.type, this.#memory(init), unwrapped(init.type));
          this.#locals.set(local, memory);
        } else
          this.#locals.set(
            local,
            init === undefined ? (local.type.kind === "optional" ? undefined : 0n) : this.#value(init),
          );
        return undefined;
      }
      case "assign":
        this.#locals.set(stmt.local, this.#value(stmt.value));
        return undefined;
      case "store": {
        const at = this.#place(stmt.place);
        const { type } = stmt.place;
        if (isAggregate(type)) {
          const from = this.#memory(stmt.value);
          copy(own(at), type, from, unwrapped(stmt.value.type));
        } else this.#write(stmt.place, own(at), this.#number(stmt.value));
        return undefined;
      }
      case "update": {
        const at = own(this.#place(stmt.place));
        const { type } = stmt.place;
        const old = this.#readAt(stmt.place, at);
        const by = this.#number(stmt.value);
        this.#write(stmt.place, at, binary(stmt.binary, type.kind === "int" && type.signed, old as bigint, by));
        return undefined;
      }
      case "expr":
        this.#value(stmt.value);
        return undefined;
      case "if":
        return this.#truth(stmt.test) ? this.#body(stmt.then) : this.#body(stmt.else);
      case "switch":
        return this.#switch(stmt);
      case "loop":
        return this.#loop(stmt);
      case "range": {
        const start = this.#number(stmt.start);
        const end = this.#number(stmt.end);
        let count = end > start ? end - start : 0n;
        const most = stmt.atMost === undefined ? MOST_TURNS : BigInt(stmt.atMost);
        if (count > most) count = most;
        for (let i = 0n; i < count; i++) {
          this.#locals.set(stmt.local, u64(start + i));
          const end = this.#turn(stmt.loop, stmt.body);
          if (end === "break") break;
          if (end !== undefined) return end;
        }
        return undefined;
      }
      case "each": {
        const { type } = stmt.of;
        const element: Type = type.kind === "array" ? type.element : { kind: "int", bits: 8, signed: false };
        const length = type.kind === "array" ? type.length : sizeOf(type);
        const at = this.#place(stmt.of);
        for (let i = 0; i < length; i++) {
          const here = moved(at, BigInt(i * sizeOf(element)));
          this.#locals.set(
            stmt.local,
            isAggregate(element)
              ? cloned(this.#bytesAt(here, element), element)
              : this.#readAt({ ...stmt.of, type: element, bits: undefined } as unknown as Place, here),
          );
          const end = this.#turn(stmt.loop, stmt.body);
          if (end === "break") break;
          if (end !== undefined) return end;
        }
        return undefined;
      }
      case "entries": {
        const map = this.#map(stmt.map);
        const keyType: Type = stmt.map.key ?? { kind: "int", bits: 32, signed: false };
        for (const [text, bytes] of [...map.elements]) {
          if (stmt.key !== undefined) {
            const memory = { bytes: unhex(text), at: 0 };
            this.#locals.set(stmt.key, isAggregate(stmt.key.type) ? memory : load(memory, keyType));
          }
          if (stmt.value !== undefined) {
            const memory = { bytes, at: 0 };
            const { type } = stmt.value;
            const isMemory = type.kind === "reference" || type.kind === "cell" || isAggregate(type);
            this.#locals.set(stmt.value, isMemory ? memory : load(memory, type));
          }
          const end = this.#turn(stmt.loop, stmt.body);
          if (end === "break") break;
          if (end !== undefined) return end;
        }
        return undefined;
      }
      case "break":
      case "continue":
        return { op: stmt.op, loop: stmt.loop };
      case "return":
        return { op: "return", value: stmt.value === undefined ? undefined : this.#any(stmt.value) };
      case "block":
        return this.#body(stmt.body);
    }
  }

  /** A loop's body once: undefined to go on. */
  #turn(loop: Loop, body: readonly Stmt[]): "break" | End {
    const end = this.#body(body);
    if (end === undefined || end.op === "return" || end.loop !== loop) return end;
    return end.op === "break" ? "break" : undefined;
  }

  #loop({ loop, test, testLast, body, update, atMost }: Extract<Stmt, { readonly op: "loop" }>): End {
    const most = atMost ?? PATIENCE;
    for (let turn = 0; turn < most; turn++) {
      if (!testLast && test !== undefined && !this.#truth(test)) return undefined;
      const end = this.#turn(loop, body);
      if (end === "break") return undefined;
      if (end !== undefined) return end;
      const after = this.#body(update);
      if (after !== undefined) return after;
      if (testLast && test !== undefined && !this.#truth(test)) return undefined;
    }
    if (atMost === undefined) throw new EvaluationError("a loop does not end");
    return undefined;
  }

  #switch({ value, cases, defaultCase, loop }: Extract<Stmt, { readonly op: "switch" }>): End {
    const given = this.#number(value);
    let at = cases.findIndex(({ values }) => values.some((each) => u64(each) === given));
    if (at < 0) at = defaultCase;
    if (at < 0) return undefined;
    for (const { body } of cases.slice(at)) {
      const end = this.#body(body);
      if (end === undefined) continue;
      return end.op === "break" && end.loop === loop ? undefined : end;
    }
    return undefined;
  }

  // Places

  /** Memory of the program, or an address of the kernel's. */
  #place(place: Place): Memory | bigint {
    const { base, offset } = place;
    let at: Memory | bigint;
    switch (base.kind) {
      case "local":
        at = this.#locals.get(base.local) as Memory;
        break;
      case "global":
        at = { bytes: this.#state.globals.get(base.global) as Uint8Array, at: 0 };
        break;
      case "context":
        at = { bytes: this.#world.context ?? new Uint8Array(0), at: 0 };
        break;
      case "temporary":
        at = this.#memory(base.value);
        break;
      case "pointer":
        at = this.#value(base.pointer) as Memory | bigint;
        break;
    }
    at = moved(at, BigInt(offset));
    for (const { index, stride, length, what } of place.indices) {
      const given = this.#number(index);
      if (given >= BigInt(length)) throw new EvaluationError(`index ${given} of ${what}, which has ${length}`);
      at = moved(at, given * BigInt(stride));
    }
    return at;
  }

  #readAt(place: Place, at: Memory | bigint): Value {
    const { type, bits } = place;
    const memory = typeof at === "bigint" ? this.#kernel(at, sizeOf(type)) : at;
    if (typeof at !== "bigint" && (type.kind === "reference" || type.kind === "cell")) return at;
    const word = load(memory, type);
    if (bits === undefined) return word;
    const cut = (word >> BigInt(bits.shift)) & ((1n << BigInt(bits.width)) - 1n);
    return bits.signed ? u64(BigInt.asIntN(bits.width, cut)) : cut;
  }

  #write({ type, bits }: Place, at: Memory, value: bigint): void {
    if (bits === undefined) {
      store(at, type, value);
      return;
    }
    const mask = ((1n << BigInt(bits.width)) - 1n) << BigInt(bits.shift);
    store(at, type, (load(at, type) & ~mask) | ((value << BigInt(bits.shift)) & mask));
  }

  /** Zeros where the kernel has nothing. */
  #kernel(address: bigint, length: number): Memory {
    return { bytes: this.#world.read?.("kernel", address, length) ?? new Uint8Array(length), at: 0 };
  }

  /** The bytes of an aggregate; texts of the kernel's end at their NUL. */
  #bytesAt(at: Memory | bigint, type: Type): Memory {
    if (typeof at !== "bigint") return at;
    if (type.kind === "str") return { bytes: this.#text("kernel", at, type.size + 1), at: 0 };
    return this.#kernel(at, sizeOf(type));
  }

  /** A text of somebody else's memory: `size` bytes with its NUL, zeros behind. */
  #text(space: "user" | "kernel", address: bigint, size: number): Uint8Array {
    const out = new Uint8Array(size);
    for (let i = 0; i < size - 1; i++) {
      const byte = this.#world.read?.(space, address + BigInt(i), 1)?.[0];
      if (byte === undefined) return new Uint8Array(size);
      if (byte === 0) break;
      out[i] = byte;
    }
    return out;
  }

  // Expressions

  /** A number; booleans are 0 and 1. */
  #number(expr: Expr): bigint {
    const value = this.#value(expr);
    if (typeof value === "bigint") return value;
    throw new EvaluationError(`\`${expr.op}\` gives no number`);
  }

  #truth(expr: Expr): boolean {
    return this.#number(expr) !== 0n;
  }

  /** An aggregate. */
  #memory(expr: Expr): Memory {
    const value = this.#any(expr);
    if (typeof value === "object") return value;
    throw new EvaluationError(`\`${expr.op}\` gives nothing in memory`);
  }

  #packet(): Uint8Array {
    const { packet } = this.#world;
    if (packet === undefined) throw new EvaluationError("the world has no packet");
    return packet;
  }

  #any(expr: Expr): Value {
    return this.#value(expr);
  }

  #value(expr: Expr): Value {
    switch (expr.op) {
      case "number":
        return u64(expr.value);
      case "boolean":
        return expr.value ? 1n : 0n;
      case "string": {
        const memory = fresh(expr.type);
        memory.bytes.set(expr.bytes.subarray(0, memory.bytes.length));
        return memory;
      }
      case "undefined":
        return undefined;
      case "local":
        return this.#locals.get(expr.local);
      case "read": {
        const at = this.#place(expr.place);
        const { type } = expr.place;
        if (!isAggregate(type)) return this.#readAt(expr.place, at);
        const got = cloned(this.#bytesAt(at, type), type);
        if (type.kind === "str" && expr.place.base.kind === "context") endText(got.bytes);
        return got;
      }
      case "address":
        return this.#place(expr.place);
      case "negate":
        return u64(-this.#number(expr.value));
      case "invert":
        return u64(~this.#number(expr.value));
      case "not":
        return this.#truth(expr.value) ? 0n : 1n;
      case "binary": {
        const left = this.#number(expr.left);
        return binary(expr.binary, expr.signed, left, this.#number(expr.right));
      }
      case "compare": {
        const left = addressOrNumber(this.#value(expr.left));
        const right = addressOrNumber(this.#value(expr.right));
        return compare(expr.compare, expr.signed ? i64(left) : left, expr.signed ? i64(right) : right) ? 1n : 0n;
      }
      case "compareText": {
        const equal = sameText(this.#textOf(expr.left), this.#textOf(expr.right));
        return equal === (expr.compare === "eq") ? 1n : 0n;
      }
      case "startsWith": {
        const text = this.#textOf(expr.text);
        return expr.prefix.every((byte, i) => text[i] === byte) ? 1n : 0n;
      }
      case "textLength":
        return BigInt(this.#textOf(expr.text).length);
      case "and":
        return this.#truth(expr.left) && this.#truth(expr.right) ? 1n : 0n;
      case "or":
        return this.#truth(expr.left) || this.#truth(expr.right) ? 1n : 0n;
      case "conditional":
        return this.#truth(expr.test) ? this.#any(expr.then) : this.#any(expr.else);
      case "isPresent":
        return isThere(this.#any(expr.value)) ? 1n : 0n;
      case "unwrap": {
        const value = this.#any(expr.value);
        if (value === undefined) throw new EvaluationError("what is not there was taken for something");
        return value;
      }
      case "wrap":
        return this.#any(expr.value);
      case "coalesce":
        return this.#any(expr.value) ?? this.#any(expr.fallback);
      case "chain": {
        const value = this.#any(expr.value);
        if (!isThere(value)) return undefined;
        this.#locals.set(expr.bound, value);
        return this.#any(expr.then);
      }
      case "convert": {
        const value = addressOrNumber(this.#value(expr.value));
        return expr.type.kind === "bool" ? (value === 0n ? 0n : 1n) : cut(value, expr.type);
      }
      case "fit": {
        const value = this.#number(expr.value);
        if (cut(value, expr.type) !== value && expr.type.bits < 64)
          throw new EvaluationError(`${i64(value)} does not fit ${expr.what}`);
        return value;
      }
      case "object": {
        const memory = fresh(expr.type);
        for (const { offset, type, value } of expr.fields) this.#put(moved(memory, BigInt(offset)), type, value);
        return memory;
      }
      case "elements": {
        const { type } = expr;
        const memory = fresh(type);
        const element: Type = type.kind === "array" ? type.element : { kind: "int", bits: 8, signed: false };
        for (const [i, each] of expr.values.entries())
          this.#put(moved(memory, BigInt(i * sizeOf(element))), element, each);
        return memory;
      }
      case "helper":
        return this.#helper(expr);
      case "call":
        return this.call(
          expr.callee,
          expr.args.map((arg, i) => {
            const value = this.#any(arg);
            const type = expr.callee.params[i]?.type;
            if (type === undefined || !isAggregate(type)) return value;
            const memory = fresh(type);
            copy(memory, type, value as Memory, unwrapped(arg.type));
            return memory;
          }),
        );
      default:
        return this.#mapExpr(expr);
    }
  }

  /** Evaluates into memory. */
  #put(at: Memory, type: Type, expr: Expr): void {
    if (isAggregate(type)) copy(at, type, this.#memory(expr), unwrapped(expr.type));
    else store(at, type, addressOrNumber(this.#value(expr)));
  }

  /** A text's characters, without the NUL; of bytes all. */
  #textOf(expr: Expr): Uint8Array {
    if (expr.op === "string") return expr.bytes;
    const { bytes, at } = this.#memory(expr);
    const type = unwrapped(expr.type);
    const all = bytes.subarray(at, at + sizeOf(type));
    const end = type.kind === "str" ? all.indexOf(0) : -1;
    return end < 0 ? all.slice() : all.slice(0, end);
  }

  // Maps

  #map(decl: MapDecl) {
    const map = this.#state.maps.get(decl.name);
    if (map === undefined) throw new EvaluationError(`there is no map ${decl.name}`);
    return map;
  }

  #key(decl: MapDecl, key: Expr): string {
    if (decl.kind === "array" || decl.kind === "perCpuArray") {
      const index = this.#number(key);
      if (index >= BigInt(decl.maxEntries)) throw new EvaluationError(`index ${index} of ${decl.name}`);
      return indexKey(Number(index));
    }
    const type = decl.key ?? key.type;
    const memory = fresh(type);
    this.#put(memory, type, key);
    return hex(memory.bytes);
  }

  /** What `get` gives of an element: a number, or the element itself. */
  #element(bytes: Uint8Array | undefined, type: Type, isReference: boolean): Value {
    if (bytes === undefined) return undefined;
    return isReference || isAggregate(type) ? { bytes, at: 0 } : load({ bytes, at: 0 }, type);
  }

  #mapExpr(expr: Expr): Value {
    switch (expr.op) {
      case "mapGet":
      case "mapRef":
        return this.#element(
          this.#map(expr.map).elements.get(this.#key(expr.map, expr.key)),
          expr.map.value as Type,
          expr.op === "mapRef",
        );
      case "mapHas":
        return this.#map(expr.map).elements.has(this.#key(expr.map, expr.key)) ? 1n : 0n;
      case "mapSet": {
        const key = this.#key(expr.map, expr.key);
        const memory = fresh(expr.map.value as Type);
        this.#put(memory, expr.map.value as Type, expr.value);
        const written = this.#map(expr.map).set(key, memory.bytes, expr.flags);
        if (!written && expr.counted) this.#state.lose(expr.map);
        return written ? 1n : 0n;
      }
      case "mapGetOrInsert": {
        const map = this.#map(expr.map);
        const type = expr.map.value as Type;
        const key = this.#key(expr.map, expr.key);
        const memory = fresh(type);
        if (expr.initial !== undefined) this.#put(memory, type, expr.initial);
        if (!map.elements.has(key) && !map.set(key, memory.bytes, "noexist") && expr.counted)
          this.#state.lose(expr.map);
        return this.#element(map.elements.get(key), type, true);
      }
      case "mapDelete":
        return this.#map(expr.map).elements.delete(this.#key(expr.map, expr.key)) ? 1n : 0n;
      case "mapRecord":
        this.#record(expr);
        return 0n;
      case "ringEmit": {
        const type = expr.map.value as Type;
        const memory = fresh(type);
        this.#put(memory, type, expr.value);
        return this.#submit(expr.map, memory.bytes) ? 1n : 0n;
      }
      case "print": {
        const memory = fresh(expr.site.record);
        this.#put(memory, expr.site.record, expr.value);
        this.#submit(expr.map, memory.bytes);
        return 0n;
      }
      case "ringReserve": {
        if (this.#isFull(expr.map)) {
          this.#state.lose(expr.map);
          return undefined;
        }
        const memory = fresh(expr.map.value as Type);
        this.#open.set(memory.bytes, expr.map);
        return memory;
      }
      case "ringSubmit":
      case "ringDiscard": {
        const { bytes } = this.#memory(expr.slot);
        const map = this.#open.get(bytes);
        if (map === undefined) throw new EvaluationError("a record is given away twice");
        this.#open.delete(bytes);
        if (expr.op === "ringSubmit") this.#records(map).push(bytes);
        return 0n;
      }
      case "packetLength":
        return BigInt(this.#packet().length);
      case "packetAt": {
        const at = Number(this.#number(expr.offset));
        const of = unwrapped(expr.type);
        const bytes = this.#packet();
        return at + sizeOf(of.kind === "reference" ? of.to : of) > bytes.length ? undefined : { bytes, at };
      }
      case "stackId":
        return this.#ask("stackId", [expr.user ? 1n : 0n]);
      case "cellAdd": {
        const { at, type } = this.#cell(expr.cell);
        // What is added may itself change the cell.
        const by = this.#number(expr.value);
        store(at, type, load(at, type) + by);
        return 0n;
      }
      case "cellExchange": {
        const { at, type } = this.#cell(expr.cell);
        const given = this.#number(expr.value);
        const before = load(at, type);
        store(at, type, given);
        return before;
      }
      case "cellCompareExchange": {
        const { at, type } = this.#cell(expr.cell);
        const old = this.#number(expr.old);
        const given = this.#number(expr.value);
        const before = load(at, type);
        if (before === old) store(at, type, given);
        return before;
      }
      case "storageGet": {
        const map = this.#map(expr.map);
        const type = expr.map.value as Type;
        const key = hex(bytesOf(addressOrNumber(this.#value(expr.object))));
        if (expr.create && !map.elements.has(key)) map.set(key, new Uint8Array(sizeOf(type)), "any");
        return this.#element(map.elements.get(key), type, true);
      }
      case "storageDelete":
        return this.#map(expr.map).elements.delete(hex(bytesOf(addressOrNumber(this.#value(expr.object))))) ? 1n : 0n;
      default:
        throw new EvaluationError(`\`${expr.op}\` is not known`);
    }
  }

  #cell(expr: Expr): { readonly at: Memory; readonly type: Type } {
    const { type } = expr;
    return { at: this.#memory(expr), type: type.kind === "cell" ? type.of : type };
  }

  #records(map: MapDecl): Uint8Array[] {
    const records = this.#state.rings.get(map.name);
    if (records === undefined) throw new EvaluationError(`there is no ring ${map.name}`);
    return records;
  }

  #isFull(map: MapDecl): boolean {
    return this.#records(map).length >= (this.#world.ringRecords ?? Number.POSITIVE_INFINITY);
  }

  #submit(map: MapDecl, record: Uint8Array): boolean {
    if (this.#isFull(map)) {
      this.#state.lose(map);
      return false;
    }
    this.#records(map).push(record);
    return true;
  }

  #record({ map: decl, key, value }: Extract<Expr, { readonly op: "mapRecord" }>): void {
    const { aggregate } = decl;
    const map = this.#map(decl);
    const type = decl.value as Type;
    const isHistogram = aggregate?.kind === "log2" || aggregate?.kind === "linear";
    let text: string;
    let given: bigint;
    if (isHistogram) {
      const { fields } = decl.key as StructType;
      const memory = fresh(decl.key as Type);
      const own = fields.find(({ name }) => name === "key");
      if (own !== undefined && key !== undefined) this.#put(moved(memory, BigInt(own.offset)), own.type, key);
      given = this.#number(value);
      const signed = value.type.kind === "int" && value.type.signed;
      const number = signed ? i64(given) : given;
      const bucket = aggregate.kind === "log2" ? bucketOf(number, aggregate.bits) : linearBucketOf(number, aggregate);
      const field = fields.find(({ name }) => name === "bucket");
      if (field !== undefined) store(moved(memory, BigInt(field.offset)), field.type, BigInt(bucket));
      text = hex(memory.bytes);
    } else {
      text = key === undefined || map.isArray ? indexKey(0) : this.#key(decl, key);
      given = this.#number(value);
    }
    const isNew = !map.elements.has(text);
    if (isNew && !map.set(text, new Uint8Array(sizeOf(type)), "noexist")) {
      this.#state.lose(decl);
      return;
    }
    const at = { bytes: map.elements.get(text) as Uint8Array, at: 0 };
    switch (aggregate?.kind) {
      case "counter":
      case "sum":
        store(at, type, load(at, type) + given);
        return;
      case "avg":
        for (const field of (type as StructType).fields) {
          const place = moved(at, BigInt(field.offset));
          store(place, field.type, load(place, field.type) + (field.name === "count" ? 1n : given));
        }
        return;
      case "min":
      case "max": {
        const order = (number: bigint) => ((type as IntType).signed ? i64(number) : number);
        const now = order(load(at, type));
        const better = aggregate.kind === "min" ? order(given) < now : order(given) > now;
        if (isNew || better) store(at, type, given);
        return;
      }
      default:
        store(at, type, load(at, type) + 1n);
    }
  }

  // Functions of the vocabulary

  #ask(name: string, args: readonly bigint[]): bigint {
    const helper = this.#world.helpers?.[name];
    if (helper === undefined) throw new EvaluationError(`the world has no ${name}()`);
    return u64(helper(args));
  }

  #helper(expr: Extract<Expr, { readonly op: "helper" }>): Value {
    const { name } = expr;
    const type = unwrapped(expr.type);
    const optional = expr.type.kind === "optional";
    const args = expr.args.map((arg) => addressOrNumber(this.#value(arg)));
    const [a = 0n, b = 0n] = args;
    const signed = type.kind === "int" && type.signed;
    switch (name) {
      case "comm": {
        const memory = fresh(type);
        const text = new TextEncoder().encode(this.#world.comm ?? "").subarray(0, Math.min(15, sizeOf(type) - 1));
        memory.bytes.set(text);
        return memory;
      }
      case "userStr":
      case "kernelStr":
        return { bytes: this.#text(name === "userStr" ? "user" : "kernel", a, sizeOf(type)), at: 0 };
      case "dataLocStr": {
        const memory = fresh(type);
        const from = (this.#world.context ?? new Uint8Array(0)).subarray(Number(a & 0xffffn));
        const end = from.indexOf(0);
        memory.bytes.set(from.subarray(0, Math.min(end < 0 ? from.length : end, sizeOf(type) - 1)));
        return memory;
      }
      case "readUser":
      case "readKernel": {
        const space = name === "readUser" ? "user" : "kernel";
        const got = this.#world.read?.(space, a, sizeOf(type));
        if (got === undefined && optional) return undefined;
        const memory = { bytes: got ?? new Uint8Array(sizeOf(type)), at: 0 };
        return isAggregate(type) ? memory : load(memory, type);
      }
      case "ntohs":
      case "htons":
        return swapped(a, 2);
      case "ntohl":
      case "htonl":
        return swapped(a, 4);
      case "ntohll":
      case "htonll":
        return swapped(a, 8);
      case "min":
      case "max": {
        const isSigned = signed || expr.args.some((arg) => arg.type.kind === "int" && arg.type.signed);
        const order = (value: bigint) => (isSigned ? i64(value) : value);
        return args.reduce((best, each) => {
          const better = name === "min" ? order(each) < order(best) : order(each) > order(best);
          return better ? each : best;
        });
      }
      case "abs":
        return i64(a) < 0n ? u64(-a) : a;
      case "clz32":
        return BigInt(Math.clz32(Number(a & 0xffffffffn)));
      case "log2":
        return a === 0n ? 0n : BigInt(a.toString(2).length - 1);
      default:
        void b;
        return this.#ask(name, args);
    }
  }
}

function own(at: Memory | bigint): Memory {
  if (typeof at !== "bigint") return at;
  throw new EvaluationError("memory of the kernel is written to");
}

function moved<At extends Memory | bigint>(at: At, by: bigint): At {
  return (typeof at === "bigint" ? u64(at + by) : { bytes: at.bytes, at: at.at + Number(by) }) as At;
}

function fresh(type: Type): Memory {
  return { bytes: new Uint8Array(sizeOf(type)), at: 0 };
}

function cloned({ bytes, at }: Memory, type: Type): Memory {
  return { bytes: bytes.slice(at, at + sizeOf(type)), at: 0 };
}

function endText(bytes: Uint8Array): void {
  const end = bytes.indexOf(0);
  if (end >= 0) bytes.fill(0, end);
}

/** Copies an aggregate; texts keep a NUL at their end, what is left of the destination is zero. */
function copy(to: Memory, type: Type, from: Memory, fromType: Type): void {
  const size = sizeOf(type);
  const length = Math.min(size, sizeOf(fromType), from.bytes.length - from.at);
  const bytes = from.bytes.slice(from.at, from.at + length);
  to.bytes.fill(0, to.at, to.at + size);
  to.bytes.set(bytes, to.at);
  if (type.kind === "str") to.bytes[to.at + size - 1] = 0;
}

/** What an optional or a reference holds. */
function unwrapped(type: Type): Type {
  if (type.kind === "optional") return unwrapped(type.of);
  return type.kind === "reference" ? unwrapped(type.to) : type;
}

/** Memory has no numbers as addresses here; what is there is not 0. */
function addressOrNumber(value: Value): bigint {
  return typeof value === "bigint" ? value : value === undefined ? 0n : 1n;
}

/** Kernel pointers are there when they are not 0. */
function isThere(value: Value): boolean {
  return value !== undefined;
}

function bytesOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  store({ bytes, at: 0 }, { kind: "int", bits: 64, signed: false }, value);
  return bytes;
}

function cut(value: bigint, type: Type): bigint {
  if (type.kind !== "int") return value;
  return u64(type.signed ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value));
}

function swapped(value: bigint, size: number): bigint {
  let out = 0n;
  for (let i = 0n; i < BigInt(size); i++) out |= ((value >> (8n * i)) & 0xffn) << (8n * (BigInt(size) - 1n - i));
  return out;
}

function sameText(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function compare(how: "eq" | "ne" | "lt" | "le" | "gt" | "ge", a: bigint, b: bigint): boolean {
  switch (how) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
  }
}

/** Arithmetic of 64 bits as the machine has it: x / 0 is 0, x % 0 is x, shifts count modulo 64. */
function binary(how: string, signed: boolean, left: bigint, right: bigint): bigint {
  const [a, b] = signed ? [i64(left), i64(right)] : [left, right];
  switch (how) {
    case "add":
      return u64(a + b);
    case "sub":
      return u64(a - b);
    case "mul":
      return u64(a * b);
    case "div":
      return b === 0n ? 0n : u64(a / b);
    case "mod":
      return b === 0n ? left : u64(a % b);
    case "and":
      return left & right;
    case "or":
      return left | right;
    case "xor":
      return left ^ right;
    case "shl":
      return u64(left << (right & 63n));
    case "shr":
      return u64(a >> (right & 63n));
    case "ushr":
      return left >> (right & 63n);
    default:
      throw new EvaluationError(`\`${how}\` is not known`);
  }
}
