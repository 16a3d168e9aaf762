import { type Capture, capturesFor } from "./decode/index.ts";
import { CaptureKind, LengthKind, OTHER_PLAN, PLANS, Plan, PlanCapture, PlanUse } from "./kernel/index.ts";

const DEFAULT_MAX: Readonly<Record<Capture["kind"], number>> = {
  string: 4096,
  bytes: 64,
  argv: 256,
  iov: 64,
  msghdr: 64,
};
/** What the programs can copy of a buffer in one piece. */
const BYTES_MAX = 256;

/** Which calls are reported, and why. */
export interface PlanRequest {
  /** Numbers of the calls to show; all when undefined. */
  readonly shown: ReadonlySet<number> | undefined;
  /** Numbers of the calls that are reported anyway, because the table of open files is kept by them. */
  readonly files: ReadonlySet<number>;
}

/** The plans of all calls as the kernel side reads them. */
export function encodePlans(arch: string, { shown, files }: PlanRequest): Uint8Array {
  const plans = new Uint8Array(PLANS * Plan.size);
  for (let nr = 0; nr < PLANS; nr++) {
    const use = (shown === undefined || shown.has(nr) ? PlanUse.shown : 0) | (files.has(nr) ? PlanUse.files : 0);
    if (use === 0) continue;
    plans[nr * Plan.size + Plan.enabled] = use;
    // The shared plan is for calls whose arguments are not known: nothing is copied.
    if (nr !== OTHER_PLAN) encodeCaptures(plans, nr * Plan.size, nr, capturesFor(nr, arch));
  }
  return plans;
}

function encodeCaptures(plans: Uint8Array, base: number, nr: number, captures: readonly Capture[]): void {
  if (captures.length > PlanCapture.count)
    throw new RangeError(`System call ${nr} has more than ${PlanCapture.count} captures.`);
  let i = 0;
  // Those at entry first: the kernel side counts them off in this order.
  for (const when of ["enter", "exit"] as const) {
    for (const capture of captures) {
      if (capture.when !== when) continue;
      encodeCapture(plans, base + Plan.captures + PlanCapture.size * i++, capture);
      const counter = base + (when === "enter" ? Plan.atEntry : Plan.atExit);
      plans[counter] = (plans[counter] as number) + 1;
    }
  }
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
