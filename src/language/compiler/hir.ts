import type { Span } from "./span.ts";
import type { BoolType, IntType, StructType, Type } from "./type.ts";

/**
 * A checked program: what the checker makes of the syntax tree, and what is lowered to SSA. Names are resolved, every
 * expression has its type, conversions are written out, kernel fields are byte offsets, `undefined` was tested for. It is a
 * tree; plain data, apart from the identity of locals, maps, globals and functions.
 */
export interface Module {
  readonly maps: readonly MapDecl[];
  readonly globals: readonly GlobalDecl[];
  /** Programs and the functions they call, callees first. */
  readonly functions: readonly FunctionDecl[];
  /** The places that print, by their number. */
  readonly prints: readonly PrintSite[];
  readonly license: string;
}

/**
 * A `print(…)` of the source: its record in the ring `print` (a `ringbuf` map without `value`) begins with the site's number
 * (u32, a field of `record`); user space puts the text together: `texts[0]`, field 1, `texts[1]`, field 2 …
 */
export interface PrintSite {
  readonly texts: readonly string[];
  readonly record: StructType;
  readonly span: Span;
}

/** A map of the program. Its name is the variable's. */
export interface MapDecl {
  readonly name: string;
  /** Of the entry module: the user's side sees it. */
  readonly exported: boolean;
  readonly kind:
    | "hash"
    | "lruHash"
    | "perCpuHash"
    | "lruPerCpuHash"
    | "array"
    | "perCpuArray"
    | "ringbuf"
    | "stackTrace"
    | "taskStorage"
    | "progArray"
    | "cgroupArray";
  /** For kinds that have keys. */
  readonly key?: Type;
  /** What values are; for rings the record, absent where records are of several types; for stack traces absent. */
  readonly value?: Type;
  /** Entries; for rings bytes. */
  readonly maxEntries: number;
  /** Whoever attaches the programs fills it: they only read it. */
  readonly filledOutside?: true;
  /** The ring that `print` writes to. */
  readonly prints?: true;
  /** Of program arrays: names of the programs in its slots. */
  readonly programs?: readonly string[];
  /** Kept under this name in a bpffs. */
  readonly pinned?: string;
  /**
   * What it adds up, where it is no plain map. `counter`: value u64. `sum`: i64 or u64. `avg`: struct { sum, count }. `min`,
   * `max`: the value. Of `log2` histograms (`bits`: how many of a value's bits below the highest one tell buckets apart) and
   * `linear` ones the key is struct { key, bucket: u32 } (without `key`: { bucket: u32 }), the value u64: how many.
   */
  readonly aggregate?:
    | { readonly kind: "counter" | "sum" | "avg" | "min" | "max" }
    | { readonly kind: "log2"; readonly bits: number }
    | { readonly kind: "linear"; readonly min: bigint; readonly max: bigint; readonly step: bigint };
  readonly span: Span;
}

/** A variable outside of functions that programs share: `param` (read-only for programs, `.rodata`) or `global` (`.bss`, `.data`). */
export interface GlobalDecl {
  readonly name: string;
  readonly exported: boolean;
  readonly kind: "param" | "global";
  readonly type: Type;
  /** Little-endian bytes of its first value, as long as the type. */
  readonly initial: Uint8Array;
  readonly span: Span;
}

/** What starts a program: the section's kind and what it attaches to, as object files have it (`tracepoint/syscalls/sys_enter_openat`). */
export interface ProgramDecl {
  /** `tracepoint`, `raw_tp`, `tp_btf`, `kprobe`, `kretprobe`, `uprobe`, `uretprobe`, `fentry`, `fexit`, `lsm`, `perf_event`, `iter`, `syscall` … */
  readonly section: string;
  /** For the section's part behind the `/`; "" when there is none. */
  readonly attachTo: string;
  /** May sleep (`lsm.s`, `fentry.s`, `syscall`). */
  readonly sleepable: boolean;
  /** Walking kernel pointers by plain loads is allowed (fentry, tp_btf, lsm, iter …); elsewhere addresses are cast or probe_read. */
  readonly btfPointers: boolean;
  /** For `profile` and `interval`: what the user's side opens. */
  readonly schedule?:
    | { readonly kind: "profile"; readonly hz: number }
    | { readonly kind: "interval"; readonly ms: number };
  /** Bytes of the context that may be read; 0 when it is not known. */
  readonly contextSize: number;
}

/** A function; a program when `program` is there: then it has one parameter at most, its context (type void: never read whole). */
export interface FunctionDecl {
  readonly name: string;
  readonly exported: boolean;
  readonly program?: ProgramDecl;
  /** Values in registers. Aggregates come by reference. */
  readonly params: readonly Local[];
  /** `void` when it gives nothing: programs then return 0. */
  readonly result: Type;
  readonly body: readonly Stmt[];
  readonly span: Span;
}

/** A variable of a function. */
export interface Local {
  readonly name: string;
  /**
   * Scalars, pointers and references live in registers; `optional` of a scalar is a value and whether it is there; aggregates
   * live on the stack.
   */
  readonly type: Type;
  /** Assigned to after it was declared. */
  mutable: boolean;
  readonly span: Span;
}

// ---- statements

export type Stmt =
  | { readonly op: "let"; readonly local: Local; readonly init: Expr | undefined; readonly span: Span }
  /** `local = value` (not of aggregates: those are `store`). */
  | { readonly op: "assign"; readonly local: Local; readonly value: Expr; readonly span: Span }
  | { readonly op: "store"; readonly place: Place; readonly value: Expr; readonly span: Span }
  /** `place op= value`, `place++`: read, changed and written without being atomic. */
  | {
      readonly op: "update";
      readonly place: Place;
      readonly binary: BinaryName;
      readonly value: Expr;
      readonly span: Span;
    }
  | { readonly op: "expr"; readonly value: Expr; readonly span: Span }
  | {
      readonly op: "if";
      readonly test: Expr;
      readonly then: readonly Stmt[];
      readonly else: readonly Stmt[];
      readonly span: Span;
    }
  | {
      readonly op: "switch";
      readonly value: Expr;
      readonly cases: readonly { readonly values: readonly bigint[]; readonly body: readonly Stmt[] }[];
      /** Which of `cases` is `default:`; -1 for none. Cases fall through unless they break. */
      readonly defaultCase: number;
      readonly loop: Loop;
      readonly span: Span;
    }
  /** `for (init; test; update) body` with a bound the range analysis finds, or `while`. `atMost`: turns that it never goes beyond. */
  | {
      readonly op: "loop";
      readonly loop: Loop;
      readonly test: Expr | undefined;
      /** The test stands at the end (`do … while`). */
      readonly testLast: boolean;
      readonly body: readonly Stmt[];
      /** What is done before the next turn, also by `continue`. */
      readonly update: readonly Stmt[];
      readonly atMost: number | undefined;
      readonly span: Span;
    }
  /** `for (const local of range(start, end, { atMost }))`: local counts from start up to, not including, end. Values are u64. */
  | {
      readonly op: "range";
      readonly loop: Loop;
      readonly local: Local;
      readonly start: Expr;
      readonly end: Expr;
      readonly atMost: number | undefined;
      readonly body: readonly Stmt[];
      readonly span: Span;
    }
  /** `for (const local of place)`: the elements of a fixed array, in order. */
  | {
      readonly op: "each";
      readonly loop: Loop;
      readonly local: Local;
      readonly of: Place;
      readonly body: readonly Stmt[];
      readonly span: Span;
    }
  /** `for (const [key, value] of map)`: the map's elements (bpf_for_each_map_elem); the value is a reference, or a copy of a scalar. */
  | {
      readonly op: "entries";
      readonly loop: Loop;
      readonly map: MapDecl;
      readonly key: Local | undefined;
      readonly value: Local | undefined;
      readonly body: readonly Stmt[];
      readonly span: Span;
    }
  | { readonly op: "break" | "continue"; readonly loop: Loop; readonly span: Span }
  | { readonly op: "return"; readonly value: Expr | undefined; readonly span: Span }
  | { readonly op: "block"; readonly body: readonly Stmt[]; readonly span: Span };

/** What `break` and `continue` leave: identity only. */
export interface Loop {
  readonly label: string | undefined;
}

// ---- places: memory that is read or written

/**
 * A value in memory: where it begins, and on the way from there offsets and indices. `type` is what stands there; for bits of
 * a word see `bits`.
 */
export interface Place {
  readonly base: /** An aggregate on the stack. */
    | { readonly kind: "local"; readonly local: Local }
    /** Where a reference, a cell or a kernel pointer points to. Reads through kernel pointers give 0 where nothing is. */
    | { readonly kind: "pointer"; readonly pointer: Expr }
    | { readonly kind: "global"; readonly global: GlobalDecl }
    /** The program's context: offsets are fixed, no index. Programs that somebody runs with a value of their own may change it. */
    | { readonly kind: "context"; readonly writable?: true }
    /** An aggregate that an expression makes: it is put on the stack first (`comm()[0]`). */
    | { readonly kind: "temporary"; readonly value: Expr };
  /** Bytes from the base, the fixed part. */
  readonly offset: number;
  /** `index` (proven to be below `length`, the checker does not know it: the range analysis does) times `stride` bytes more. */
  readonly indices: readonly {
    readonly index: Expr;
    readonly stride: number;
    readonly length: number;
    readonly what: string;
  }[];
  readonly type: Type;
  /** A bit-field of a kernel struct or of `bits({…})`: which bits of the integer that stands at `offset`. */
  readonly bits?: { readonly shift: number; readonly width: number; readonly signed: boolean };
  /** The path in kernel types, for objects that are fitted to other kernels: root type id, and `0:1:2` as CO-RE has it. */
  readonly access?: { readonly type: number; readonly path: string };
  readonly span: Span;
}

// ---- expressions

export type BinaryName = "add" | "sub" | "mul" | "div" | "mod" | "and" | "or" | "xor" | "shl" | "shr" | "ushr";
export type CompareName = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/**
 * An expression. Integers are 64 bits wide while they are computed with, sign or zero extended by their type. Booleans are 0
 * or 1. Aggregates (`str`, `bytes`, `array`, `struct`) are made where they are wanted: in a field, a key, a ring's record,
 * else on the stack.
 */
export type Expr = (
  | { readonly op: "number"; readonly value: bigint }
  | { readonly op: "boolean"; readonly value: boolean }
  /** A text literal of a `str(N)`: UTF-8 bytes without the NUL. */
  | { readonly op: "string"; readonly bytes: Uint8Array }
  /** `undefined` as an optional's value. */
  | { readonly op: "undefined" }
  | { readonly op: "local"; readonly local: Local }
  /** What stands at a place; of aggregates a copy. */
  | { readonly op: "read"; readonly place: Place }
  /** The address of a place, as the reference, cell or kernel pointer that `type` says. */
  | { readonly op: "address"; readonly place: Place }
  | { readonly op: "negate" | "invert" | "not"; readonly value: Expr }
  /** `signed` says how `div`, `mod` and `shr` are done. */
  | {
      readonly op: "binary";
      readonly binary: BinaryName;
      readonly signed: boolean;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** Of integers, booleans, pointers. `signed` for `lt` … */
  | {
      readonly op: "compare";
      readonly compare: CompareName;
      readonly signed: boolean;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** `===` and `!==` of texts and bytes: equal up to their NUL (texts) or all of it (bytes). Either side may be a literal. */
  | { readonly op: "compareText"; readonly compare: "eq" | "ne"; readonly left: Expr; readonly right: Expr }
  /** `text.startsWith(prefix)`. */
  | { readonly op: "startsWith"; readonly text: Expr; readonly prefix: Uint8Array }
  /** Characters before the NUL. */
  | { readonly op: "textLength"; readonly text: Expr }
  | { readonly op: "and" | "or"; readonly left: Expr; readonly right: Expr }
  | { readonly op: "conditional"; readonly test: Expr; readonly then: Expr; readonly else: Expr }
  /** Whether an optional is there (`x !== undefined`). */
  | { readonly op: "isPresent"; readonly value: Expr }
  /** The value of an optional that was tested before. */
  | { readonly op: "unwrap"; readonly value: Expr }
  /** A value as an optional that is there. */
  | { readonly op: "wrap"; readonly value: Expr }
  /** `value ?? fallback`. */
  | { readonly op: "coalesce"; readonly value: Expr; readonly fallback: Expr }
  /** `value?.…`: `then` computes with `bound` being what is there; optional of its type, or undefined. */
  | { readonly op: "chain"; readonly value: Expr; readonly bound: Local; readonly then: Expr }
  /** `u32(x)`, `i64(x)`, `bool(x)`: cut off or extended to `type`, which is the value's new meaning. */
  | { readonly op: "convert"; readonly value: Expr; readonly type: IntType | BoolType }
  /**
   * The value, which goes into something narrower: that it fits `type` is for the range analysis to prove (EB2205).
   * `what`: where it goes, for the message (`field \`pid\``).
   */
  | { readonly op: "fit"; readonly value: Expr; readonly type: IntType; readonly what: string }
  /** `{ a: 1, b: x }`; fields in the order they are written. */
  | {
      readonly op: "object";
      readonly type: StructType;
      readonly fields: readonly { readonly offset: number; readonly type: Type; readonly value: Expr }[];
    }
  /** `[a, b, c]`, for `array(T, N)` and `bytes(N)`. */
  | { readonly op: "elements"; readonly values: readonly Expr[] }
  | MapExpr
  /** A function of the vocabulary (vocabulary/helpers.ts) by name. */
  | { readonly op: "helper"; readonly name: string; readonly args: readonly Expr[] }
  /**
   * `readUserInto(place, address, length)` and its kin: copies to a place of the program's own memory, `length` bytes or (without)
   * all that it has; texts up to their NUL. i64: 0, for texts the length with its NUL, or a negative error.
   */
  | {
      readonly op: "readInto";
      readonly from: "user" | "kernel";
      readonly isText: boolean;
      readonly place: Place;
      readonly address: Expr;
      readonly length: Expr | undefined;
    }
  /** Prints: `value` is the site's record whole, its number included. Sent like `ringEmit`; gives nothing. */
  | { readonly op: "print"; readonly map: MapDecl; readonly site: PrintSite; readonly value: Expr }
  /** `packet.at(offset, type)`: optional of a reference to what stands there; undefined when the packet ends before it does. */
  | { readonly op: "packetAt"; readonly offset: Expr }
  /** Bytes of the packet that can be read. */
  | { readonly op: "packetLength" }
  | { readonly op: "call"; readonly callee: FunctionDecl; readonly args: readonly Expr[] }
) & { readonly type: Type; readonly span: Span };

/** What is done with a map. Keys and values are of the map's types. */
export type MapExpr =
  /** Optional of a copy (scalars) or of a reference; of arrays without the optional, its index proven (`index`). */
  | { readonly op: "mapGet"; readonly map: MapDecl; readonly key: Expr }
  /** Optional of a cell or reference; of arrays without the optional. */
  | { readonly op: "mapRef"; readonly map: MapDecl; readonly key: Expr }
  | { readonly op: "mapHas"; readonly map: MapDecl; readonly key: Expr }
  /**
   * Whether it was written; a failure that the source does not look at (`counted`) is counted in the map's losses, unless it says
   * that the key was there (`noexist`), or was not (`exist`).
   */
  | {
      readonly op: "mapSet";
      readonly map: MapDecl;
      readonly key: Expr;
      readonly value: Expr;
      readonly flags: "any" | "noexist" | "exist";
      readonly counted: boolean;
    }
  /** Like `mapRef`, but what is not there is put there first (`initial`; zero when it is undefined). Undefined when the map is full. */
  | {
      readonly op: "mapGetOrInsert";
      readonly map: MapDecl;
      readonly key: Expr;
      readonly initial: Expr | undefined;
      readonly counted: boolean;
    }
  | { readonly op: "mapDelete"; readonly map: MapDecl; readonly key: Expr }
  /** Counters, sums, histograms …: `key` is undefined where the aggregation has none. */
  | { readonly op: "mapRecord"; readonly map: MapDecl; readonly key: Expr | undefined; readonly value: Expr }
  /** `ring.emit({…})`: built in the record itself; a full ring is counted in the map's losses. Boolean. */
  | { readonly op: "ringEmit"; readonly map: MapDecl; readonly record: Type; readonly value: Expr }
  /** `ring.reserve()`: optional of a reference to a record of zeros… submitted or given back on every way out. */
  | { readonly op: "ringReserve"; readonly map: MapDecl; readonly record: Type }
  /** `records.output(value, length)`: a copy of the first `length` bytes of what stands at a place; all without. Counted like `ringEmit`. */
  | { readonly op: "ringOutput"; readonly map: MapDecl; readonly place: Place; readonly length: Expr | undefined }
  /** `programs.tailCall(index)`: what follows runs only where that fails. */
  | { readonly op: "tailCall"; readonly map: MapDecl; readonly index: Expr }
  /** `cgroups.currentTaskUnder(index)`. Boolean. */
  | { readonly op: "taskUnder"; readonly map: MapDecl; readonly index: Expr }
  | { readonly op: "ringSubmit" | "ringDiscard"; readonly slot: Expr }
  /** `stacks.id()`: the id of the kernel's or (`user`) the process's stack in a stack-trace map; i64, negative when it failed. */
  | { readonly op: "stackId"; readonly map: MapDecl; readonly user: boolean }
  /** Methods of cells: atomic unless the memory is this CPU's alone. */
  | { readonly op: "cellAdd"; readonly cell: Expr; readonly value: Expr }
  | { readonly op: "cellExchange"; readonly cell: Expr; readonly value: Expr }
  | { readonly op: "cellCompareExchange"; readonly cell: Expr; readonly old: Expr; readonly value: Expr }
  /** `perTask.get(task)` with `create`: task storage; optional of a reference. */
  | { readonly op: "storageGet"; readonly map: MapDecl; readonly object: Expr; readonly create: boolean }
  | { readonly op: "storageDelete"; readonly map: MapDecl; readonly object: Expr };
