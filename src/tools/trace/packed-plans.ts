import { compatArch } from "../../machine/proc/index.ts";
import { type Capture, capturesFor } from "./decode/index.ts";
import { CaptureKind, EVEN_FAILED, LengthKind, OTHER_PLAN, PLANS, PlanCapture } from "./kernel/index.ts";

const DEFAULT_MAX: Readonly<Record<Capture["kind"], number>> = {
  string: 4096,
  bytes: 64,
  argv: 256,
  iov: 64,
  msghdr: 64,
};
/** What the programs can copy of a buffer in one piece. */
const BYTES_MAX = 256;

/**
 * What is copied for each call, for the calls of which anything is: the plan's place (2 bytes), captures at entry,
 * captures at exit (with `EVEN_FAILED`), and the captures themselves as in `Plan`, those at entry first: the kernel side
 * counts them off in this order.
 */
export function packedPlans(arch: string): Uint8Array {
  const compat = compatArch(arch);
  return Uint8Array.from([...packTable(arch, 0), ...(compat === undefined ? [] : packTable(compat, PLANS))]);
}

function packTable(arch: string, first: number): number[] {
  const bytes: number[] = [];
  // The last plan is shared by calls whose arguments are not known: nothing is copied.
  for (let nr = 0; nr < OTHER_PLAN; nr++) {
    const captures = capturesFor(nr, arch);
    if (captures.length === 0) continue;
    if (captures.length > PlanCapture.count)
      throw new RangeError(`System call ${nr} of ${arch} has more than ${PlanCapture.count} captures.`);
    const entry = captures.filter(({ when }) => when === "enter");
    const exit = captures.filter(({ when }) => when === "exit");
    const evenFailed = exit.some((capture) => capture.evenFailed === true) ? EVEN_FAILED : 0;
    const place = first + nr;
    bytes.push(place & 0xff, place >> 8, entry.length, exit.length | evenFailed);
    for (const capture of [...entry, ...exit]) bytes.push(...packCapture(capture));
  }
  return bytes;
}

function packCapture(capture: Capture): Uint8Array {
  const { length } = capture;
  let max = Math.min(capture.max ?? DEFAULT_MAX[capture.kind], BYTES_MAX);
  let kind: number = LengthKind.const;
  let argument = 0;
  let scale = 0;
  if (length !== undefined) {
    if ("const" in length) {
      max = Math.min(length.const, BYTES_MAX);
    } else if ("arg" in length) {
      kind = LengthKind.arg;
      argument = length.arg;
      scale = length.scale ?? 0;
    } else if ("ret" in length) {
      kind = LengthKind.ret;
      scale = length.scale ?? 0;
    } else {
      kind = LengthKind.deref;
      argument = length.deref;
    }
  }
  if (scale > 255) throw new RangeError(`A capture's scale of ${scale} does not fit a byte.`);
  const bytes = new Uint8Array(PlanCapture.size);
  bytes[PlanCapture.kind] = CaptureKind[capture.kind];
  bytes[PlanCapture.arg] = capture.arg;
  bytes[PlanCapture.lengthKind] = kind;
  bytes[PlanCapture.lengthArg] = argument;
  bytes[PlanCapture.max] = max & 0xff;
  bytes[PlanCapture.max + 1] = max >> 8;
  bytes[PlanCapture.scale] = scale;
  return bytes;
}
