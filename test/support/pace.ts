/** Under software emulation everything takes some ten times as long; the machine harness sets SKEP_VM in its guests. */
export const emulated: boolean = process.env["SKEP_VM"] === "1";

/** A time or a size that suits the machine: the second where it is emulated. */
export function pace<T>(native: T, emulatedToo: T): T {
  return emulated ? emulatedToo : native;
}
