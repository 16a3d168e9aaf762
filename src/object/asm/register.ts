/** A register of the eBPF machine (RFC 9669 section 2.2). */
export interface Register {
  /** 0 to 10. */
  readonly reg: number;
}

const register = (reg: number): Register => ({ reg });

/** Return value of calls and of the program. */
export const r0: Register = register(0);
/** First argument of a call; the context when a program starts. */
export const r1: Register = register(1);
/** Second argument of a call; calls overwrite it. */
export const r2: Register = register(2);
/** Third argument of a call; calls overwrite it. */
export const r3: Register = register(3);
/** Fourth argument of a call; calls overwrite it. */
export const r4: Register = register(4);
/** Fifth and last argument of a call. */
export const r5: Register = register(5);
/** First of the registers that calls leave alone. */
export const r6: Register = register(6);
/** One of the registers, r6 to r9, that calls leave alone. */
export const r7: Register = register(7);
/** One of the registers, r6 to r9, that calls leave alone. */
export const r8: Register = register(8);
/** Last of the registers that calls leave alone. */
export const r9: Register = register(9);
/** Frame pointer: the end of the 512-byte stack. Read only. */
export const r10: Register = register(10);
