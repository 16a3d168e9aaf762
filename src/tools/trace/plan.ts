import { ALL_PLANS, EVEN_FAILED, PLANS, Plan, PlanCapture, PlanUse } from "./kernel/index.ts";
import { packedPlans } from "./packed-plans.ts";

/** Which calls are reported, and why. */
export interface PlanRequest {
  /** Numbers of the calls to show; all when undefined. */
  readonly shown: ReadonlySet<number> | undefined;
  /** Numbers of the calls that are reported anyway, because the table of open files is kept by them. */
  readonly files: ReadonlySet<number>;
}

/** The plans of all calls as the kernel side reads them; `compat` is for those of 32-bit programs, by their numbers. */
export function encodePlans(arch: string, native: PlanRequest, compat: PlanRequest): Uint8Array {
  const plans = new Uint8Array(ALL_PLANS * Plan.size);
  for (let at = 0; at < ALL_PLANS; at++) {
    const { shown, files } = at < PLANS ? native : compat;
    const nr = at % PLANS;
    plans[at * Plan.size + Plan.enabled] =
      (shown === undefined || shown.has(nr) ? PlanUse.shown : 0) | (files.has(nr) ? PlanUse.files : 0);
  }
  const packed = packedPlans(arch);
  for (let at = 0; at < packed.length; ) {
    const nr = (packed[at] as number) | ((packed[at + 1] as number) << 8);
    const atEntry = packed[at + 2] as number;
    const atExit = (packed[at + 3] as number) & ~EVEN_FAILED;
    const end = at + 4 + (atEntry + atExit) * PlanCapture.size;
    const base = nr * Plan.size;
    if (plans[base + Plan.enabled] !== 0) {
      plans[base + Plan.atEntry] = atEntry;
      plans[base + Plan.atExit] = atExit;
      plans[base + Plan.evenFailed] = atExit === packed[at + 3] ? 0 : 1;
      plans.set(packed.subarray(at + 4, end), base + Plan.captures);
    }
    at = end;
  }
  return plans;
}
