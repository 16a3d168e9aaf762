import { type Capture, capturesFor } from "./decode/index.ts";
import { CaptureKind, LengthKind, OTHER_PLAN, PlanCapture } from "./kernel/index.ts";

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
 * What is copied for each call, for the calls of which anything is: number (2 bytes), captures at entry, captures at
 * exit, and the captures themselves as in `Plan`, those at entry first: the kernel side counts them off in this order.
 */
export function packedPlans(arch: string): Uint8Array {
  const bytes: number[] = [];
  // The last plan is shared by calls whose arguments are not known: nothing is copied.
  for (let nr = 0; nr < OTHER_PLAN; nr++) {
    const captures = capturesFor(nr, arch);
    if (captures.length === 0) continue;
    if (captures.length > PlanCapture.count)
      throw new RangeError(`System call ${nr} has more than ${PlanCapture.count} captures.`);
    const [entry, exit] = (["enter", "exit"] as const).map((when) => captures.filter((c) => c.when === when));
    bytes.push(nr & 0xff, nr >> 8, entry?.length ?? 0, exit?.length ?? 0);
    for (const capture of [...(entry ?? []), ...(exit ?? [])]) bytes.push(...packCapture(capture));
  }
  return Uint8Array.from(bytes);
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
