import type { Constant } from "./machine.ts";

/** A register (0 to 9), one of two places of last resort, or the place on the stack of a virtual register (STACK + its number). */
export type Place = number;
export const STACK = 16;
/** Where a value steps aside to when values are exchanged and no register is free. */
export const ASIDE: Place = 14;
/** Where a register's own value waits while the register lends itself. */
export const LENT: Place = 15;
const LENDER: Place = 9;

/** One value that is to be in another place. */
export interface Move {
  readonly to: Place;
  /** Looked at only without a constant. */
  readonly from: Place;
  readonly constant: Constant | undefined;
}

/** A register that nothing needs while the moves are made, other than `not`; -1 when there is none. */
export type FreeRegister = (not: number) => number;

/**
 * Does moves that all read before any writes, one after the other. Of what is given back each needs one register at most:
 * nothing goes from memory to memory.
 */
export function sequence(moves: readonly Move[], freeRegister: FreeRegister): Move[] {
  const done: Move[] = [];
  // Constants read nothing: at last, because their targets may be read until then.
  const constants = moves.filter((move) => move.constant !== undefined);
  let rest = moves.filter((move) => move.constant === undefined && move.from !== move.to);
  let aside = -1;
  while (rest.length > 0) {
    const ready = rest.filter((move) => !rest.some((other) => other !== move && other.from === move.to));
    if (ready.length > 0) {
      for (const move of ready) push(done, move, freeRegister, aside);
      rest = rest.filter((move) => !ready.includes(move));
      continue;
    }
    // Only cycles are left; one at a time, a value steps aside.
    const { from } = rest[0] as Move;
    aside = freeRegister(-1);
    const place = aside < 0 ? ASIDE : aside;
    push(done, { to: place, from, constant: undefined }, freeRegister, aside);
    rest = rest.map((move) => (move.from === from ? { ...move, from: place } : move));
  }
  for (const move of constants) push(done, move, freeRegister, -1);
  return done;
}

function push(done: Move[], move: Move, freeRegister: FreeRegister, aside: number): void {
  const { to, from, constant } = move;
  // Of constants only 0 is stored as it is: others lose what the kernel knows of them on their way to the stack of older ones.
  const isDirect =
    isRegister(to) || (constant === undefined ? isRegister(from) : constant.value === 0n && constant.kind === "int");
  if (isDirect) {
    done.push(move);
    return;
  }
  const register = freeRegister(aside);
  if (register >= 0) {
    done.push({ to: register, from, constant }, { to, from: register, constant: undefined });
    return;
  }
  done.push(
    { to: LENT, from: LENDER, constant: undefined },
    { to: LENDER, from, constant },
    { to, from: LENDER, constant: undefined },
    { to: LENDER, from: LENT, constant: undefined },
  );
}

export function isRegister(place: Place): boolean {
  return place < ASIDE;
}
