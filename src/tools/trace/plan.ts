import { PLANS, Plan, PlanCapture, PlanUse } from "./kernel/index.ts";
import { packedPlans } from "./packed-plans.ts";

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
    plans[nr * Plan.size + Plan.enabled] =
      (shown === undefined || shown.has(nr) ? PlanUse.shown : 0) | (files.has(nr) ? PlanUse.files : 0);
  }
  const packed = packedPlans(arch);
  for (let at = 0; at < packed.length; ) {
    const nr = (packed[at] as number) | ((packed[at + 1] as number) << 8);
    const atEntry = packed[at + 2] as number;
    const atExit = packed[at + 3] as number;
    const end = at + 4 + (atEntry + atExit) * PlanCapture.size;
    const base = nr * Plan.size;
    if (plans[base + Plan.enabled] !== 0) {
      plans[base + Plan.atEntry] = atEntry;
      plans[base + Plan.atExit] = atExit;
      plans.set(packed.subarray(at + 4, end), base + Plan.captures);
    }
    at = end;
  }
  return plans;
}
