import type { Cpu } from "../cpu/cpu.ts";
import type { Helper } from "../cpu/image.ts";
import type { World } from "../world.ts";

/** A call of a helper or kernel function that a test has put in (`MachineOptions.helpers`, `kfuncs`). */
export interface HelperCall {
  /** r1 to r5, unsigned. */
  readonly args: readonly [bigint, bigint, bigint, bigint, bigint];
  readonly world: World;
  /** Memory at an address. Throws RangeError where there is none. */
  readonly read: (address: bigint, length: number) => Uint8Array;
  /** Writes memory at an address. Throws RangeError where there is none. */
  readonly write: (address: bigint, bytes: Uint8Array) => void;
}

/** What such a call gives back, in r0: a whole number (−errno for an error), or nothing. */
export type HelperFunction = ((call: HelperCall) => bigint | number | undefined) | ((call: HelperCall) => void);

/** The machine's form of a function that a test gave. */
export function custom(run: HelperFunction): Helper {
  return (cpu: Cpu) => {
    const { world } = cpu.state;
    const result = run({
      args: [cpu.u64(1), cpu.u64(2), cpu.u64(3), cpu.u64(4), cpu.u64(5)],
      world,
      read: (address, length) => world.read(address, length),
      write: (address, bytes) => world.write(address, bytes),
    });
    if (typeof result === "bigint" || typeof result === "number") cpu.resultWide(BigInt.asUintN(64, BigInt(result)));
  };
}
