// Draft until the room is filled.
export { errnoName, signalName } from "../../../machine/proc/index.ts";
export interface Capture {
  readonly arg: number;
  readonly when: "enter" | "exit";
  readonly kind: "string" | "bytes" | "argv" | "iov" | "msghdr";
  readonly length?:
    | { const: number }
    | { arg: number; scale?: number }
    | { ret: true; scale?: number }
    | { deref: number };
  readonly max?: number;
}
export interface CapturedBytes {
  readonly arg: number;
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly truncated: boolean;
  readonly fault: boolean;
}
export interface FdSnapshot {
  readonly files: ReadonlyMap<number, string>;
  readonly cwd?: string | undefined;
}
export class FdTable {
  constructor(_s: FdSnapshot) {}
  copy(): FdTable {
    return this;
  }
  apply(_c: DecodedCall): void {}
}
export interface DecodedCall {
  readonly nr: number;
  readonly name: string;
  readonly args: Uint32Array;
  readonly ret: number;
  readonly unfinished: boolean;
  readonly captures: readonly CapturedBytes[];
  readonly files: FdTable;
}
export function capturesFor(nr: number, _arch: string): readonly Capture[] {
  return nr === 257
    ? [{ arg: 1, when: "enter", kind: "string" }]
    : nr === 59
      ? [
          { arg: 0, when: "enter", kind: "string" },
          { arg: 1, when: "enter", kind: "argv" },
        ]
      : [];
}
export function formatCall(c: DecodedCall): string {
  return `${c.name}(${[0, 1, 2, 3, 4, 5]
    .map((i) => {
      const x = c.captures.find((y) => y.arg === i);
      return x
        ? JSON.stringify(Buffer.from(x.bytes).toString("latin1"))
        : ((c.args[2 * i + 1] as number) * 2 ** 32 + (c.args[2 * i] as number)).toString(16);
    })
    .join(", ")}) = ${c.unfinished ? "?" : c.ret}`;
}
export function argsOf(c: DecodedCall): Record<string, unknown> {
  return { a: [...c.args] };
}
