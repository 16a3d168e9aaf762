import type { Cell } from "./cell.ts";
import { kernelOnly } from "./kernel-only.ts";
import { Descriptor } from "./origin.ts";
import type { Type } from "./type.ts";

declare const PARAM: unique symbol;

/** A value that is set when the program is loaded. In kernel code it is the value itself. */
export type Param<K, D> = K & { readonly [PARAM]?: readonly [D] };

/** What stands for a parameter in JavaScript. */
export class ParamDescriptor extends Descriptor {
  readonly kind = "param";
  readonly type: Type<unknown, unknown>;
  readonly initial: unknown;

  constructor(type: Type<unknown, unknown>, initial: unknown) {
    super();
    this.type = type;
    this.initial = initial;
  }
}

/**
 * A parameter with the value it has when nobody says another: `param(u64, 1000)`. `load(module, { params: { minUs: 5n } })` sets
 * it; programs cannot change it, and what it rules out is removed before the kernel sees them.
 */
export function param<K, D>(type: Type<K, D>, initial: NoInfer<K>): Param<K, D> {
  return new ParamDescriptor(type as Type<unknown, unknown>, initial) as unknown as Param<K, D>;
}

/** A variable that programs share; what it holds is `value`. Made by `global(type, initial)`. */
export class Global<K, D> extends Descriptor implements Cell<K> {
  readonly kind = "global";
  readonly type: Type<K, D>;
  readonly initial: K | undefined;

  constructor(type: Type<K, D>, initial: K | undefined) {
    super();
    this.type = type;
    this.initial = initial;
  }

  /** What it holds; reading it and writing it back is not one step: see `add`. */
  get value(): K {
    return kernelOnly("global.value");
  }

  set value(_value: K) {
    kernelOnly("global.value");
  }

  /** Adds to it; programs on other CPUs do not lose theirs. */
  add(_amount: number): void {
    kernelOnly("global.add()");
  }

  /** Puts a value there and gives the one before. Linux 5.12. */
  xchg(_value: K): K {
    return kernelOnly("global.xchg()");
  }

  /** Puts a value there if it is `expected`, and gives what it was. Linux 5.12. */
  cas(_expected: K, _value: K): K {
    return kernelOnly("global.cas()");
  }
}

/** A variable that all programs of the module share: `global(u64)` begins with zero. `seen.add(1)`, `seen.value`. */
export function global<K, D>(type: Type<K, D>, initial?: NoInfer<K>): Global<K, D> {
  return new Global<K, D>(type, initial);
}
