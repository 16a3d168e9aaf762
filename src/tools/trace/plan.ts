import { type Capture, capturesFor } from "./decode/index.ts";
import { CaptureKind, LengthKind, OTHER_PLAN, PLANS, Plan, PlanCapture } from "./kernel/index.ts";

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
 * The plans of all calls as the kernel side reads them. Reported are the numbers in `wanted` (all when undefined).
 */
export function encodePlans(arch: string, wanted: ReadonlySet<number> | undefined): Uint8Array {
  const plans = new Uint8Array(PLANS * Plan.size);
  for (let nr = 0; nr < PLANS; nr++) {
    if (wanted !== undefined && !wanted.has(nr) && !(nr === OTHER_PLAN && wanted.size === 0)) continue;
    const base = nr * Plan.size;
    plans[base + Plan.enabled] = 1;
    // The shared plan is for calls whose arguments are not known: nothing is copied.
    if (nr === OTHER_PLAN) continue;
    let i = 0;
    const captures = capturesFor(nr, arch);
    // Those at entry first: the kernel side counts them off in this order.
    for (const capture of [
      ...captures.filter((c) => c.when === "enter"),
      ...captures.filter((c) => c.when === "exit"),
    ]) {
      if (i === PlanCapture.count)
        throw new RangeError(`System call ${nr} has more than ${PlanCapture.count} captures.`);
      encodeCapture(plans, base + Plan.captures + PlanCapture.size * i++, capture);
      const counter = base + (capture.when === "enter" ? Plan.atEntry : Plan.atExit);
      plans[counter] = (plans[counter] as number) + 1;
    }
  }
  return plans;
}

function encodeCapture(plans: Uint8Array, at: number, capture: Capture): void {
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
  plans[at + PlanCapture.kind] = CaptureKind[capture.kind];
  plans[at + PlanCapture.arg] = capture.arg;
  plans[at + PlanCapture.lengthKind] = kind;
  plans[at + PlanCapture.lengthArg] = argument;
  plans[at + PlanCapture.max] = max & 0xff;
  plans[at + PlanCapture.max + 1] = max >> 8;
  plans[at + PlanCapture.scale] = scale;
}
