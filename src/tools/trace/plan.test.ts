import { describe, expect, it } from "vitest";
import { syscallNumber } from "../../machine/proc/index.ts";
import { capturesFor } from "./decode/index.ts";
import { OTHER_PLAN, PLANS, Plan, PlanCapture, PlanUse } from "./kernel/layout.ts";
import { packedPlans } from "./packed-plans.ts";
import { encodePlans } from "./plan.ts";

describe.each(["x64", "arm64"])("plans for %s", (arch) => {
  it("copy for each call what its signature asks for, entry before exit, and nothing else", () => {
    const plans = encodePlans(arch, { shown: undefined, files: new Set() });
    let some = 0;
    for (let nr = 0; nr < PLANS; nr++) {
      const captures = nr === OTHER_PLAN ? [] : capturesFor(nr, arch);
      const plan = plans.subarray(nr * Plan.size, (nr + 1) * Plan.size);
      expect(plan[Plan.enabled]).toBe(PlanUse.shown);
      expect(plan[Plan.atEntry]).toBe(captures.filter(({ when }) => when === "enter").length);
      expect(plan[Plan.atExit]).toBe(captures.filter(({ when }) => when === "exit").length);
      const args = [...captures]
        .sort((a, b) => (a.when === b.when ? 0 : a.when === "enter" ? -1 : 1))
        .map(({ arg }) => arg);
      expect(args.map((_, i) => plan[Plan.captures + i * PlanCapture.size + PlanCapture.arg])).toEqual(args);
      some += captures.length;
    }
    expect(some).toBeGreaterThan(200);
  });

  it("leave out what is not asked for, but keep the calls that change open files", () => {
    const [openat, close, getpid] = ["openat", "close", "getpid"].map(
      (name) => syscallNumber(name, arch) as number,
    ) as [number, number, number];
    const plans = encodePlans(arch, { shown: new Set([openat]), files: new Set([openat, close]) });
    const use = (nr: number) => plans[nr * Plan.size + Plan.enabled];
    expect([use(openat), use(close), use(getpid)]).toEqual([PlanUse.shown | PlanUse.files, PlanUse.files, 0]);
    expect(plans[openat * Plan.size + Plan.atEntry]).toBe(1);
    expect(plans.subarray(getpid * Plan.size, (getpid + 1) * Plan.size).every((byte) => byte === 0)).toBe(true);
  });

  it("are small where they are packed", () => expect(packedPlans(arch).length).toBeLessThan(8192));
});
