import { describe, expect, it } from "vitest";
import { compatArch, syscallNumber } from "../../machine/proc/index.ts";
import { capturesFor } from "./decode/index.ts";
import { ALL_PLANS, OTHER_PLAN, PLANS, Plan, PlanCapture, PlanUse } from "./kernel/layout.ts";
import { packedPlans } from "./packed-plans.ts";
import { encodePlans } from "./plan.ts";

const everything = { shown: undefined, files: new Set<number>() };

describe.each(["x64", "arm64"])("plans for %s", (arch) => {
  it("copy for each call what its signature asks for, entry before exit, and nothing else", () => {
    const plans = encodePlans(arch, everything, everything);
    let some = 0;
    for (let place = 0; place < ALL_PLANS; place++) {
      const nr = place % PLANS;
      const table = place < PLANS ? arch : (compatArch(arch) as string);
      const captures = nr === OTHER_PLAN ? [] : capturesFor(nr, table);
      const plan = plans.subarray(place * Plan.size, (place + 1) * Plan.size);
      expect(plan[Plan.enabled]).toBe(PlanUse.shown);
      expect(plan[Plan.atEntry]).toBe(captures.filter(({ when }) => when === "enter").length);
      expect(plan[Plan.atExit]).toBe(captures.filter(({ when }) => when === "exit").length);
      const args = [...captures]
        .sort((a, b) => (a.when === b.when ? 0 : a.when === "enter" ? -1 : 1))
        .map(({ arg }) => arg);
      expect(args.map((_, i) => plan[Plan.captures + i * PlanCapture.size + PlanCapture.arg])).toEqual(args);
      expect(plan[Plan.evenFailed]).toBe(captures.some(({ evenFailed }) => evenFailed) ? 1 : 0);
      some += captures.length;
    }
    expect(some).toBeGreaterThan(400);
  });

  it("leave out what is not asked for, but keep the calls that change open files", () => {
    const [openat, close, getpid] = ["openat", "close", "getpid"].map(
      (name) => syscallNumber(name, arch) as number,
    ) as [number, number, number];
    const native = { shown: new Set([openat]), files: new Set([openat, close]) };
    const plans = encodePlans(arch, native, { shown: new Set(), files: new Set() });
    const use = (nr: number) => plans[nr * Plan.size + Plan.enabled];
    expect([use(openat), use(close), use(getpid)]).toEqual([PlanUse.shown | PlanUse.files, PlanUse.files, 0]);
    expect(plans[openat * Plan.size + Plan.atEntry]).toBe(1);
    expect(plans.subarray(getpid * Plan.size, (getpid + 1) * Plan.size).every((byte) => byte === 0)).toBe(true);
    expect(plans.subarray(PLANS * Plan.size).every((byte) => byte === 0)).toBe(true);
  });

  it("are small where they are packed", () => expect(packedPlans(arch).length).toBeLessThan(16_384));
});
