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
  enable(plans, 0, native);
  enable(plans, PLANS, compat);
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
      // Byte by byte: views for this would be a part of all that is made before the first event.
      for (let from = at + 4, to = base + Plan.captures; from < end; from++, to++) plans[to] = packed[from] as number;
    }
    at = end;
  }
  return plans;
}

/** Of the plans from number `first` on. */
function enable(plans: Uint8Array, first: number, { shown, files }: PlanRequest): void {
  const enabled = first * Plan.size + Plan.enabled;
  if (shown === undefined) for (let nr = 0; nr < PLANS; nr++) plans[enabled + nr * Plan.size] = PlanUse.shown;
  else for (const nr of shown) if (nr < PLANS) plans[enabled + nr * Plan.size] = PlanUse.shown;
  for (const nr of files) {
    const at = enabled + nr * Plan.size;
    if (nr < PLANS) plans[at] = (plans[at] as number) | PlanUse.files;
  }
}
