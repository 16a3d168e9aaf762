import { release } from "node:os";
import { describe, expect, it } from "vitest";
import { askedOnce, judge, lacking, type ProbeResult, type ProbeStatus } from "./probe-result.ts";

const result = (status: ProbeStatus, since?: string): ProbeResult => ({
  name: "x",
  status,
  ...(since !== undefined && { since }),
});

describe("lacking", () => {
  it("tells the first kernel that has it, where this one is older", () => {
    const text = `Maps of type x need Linux 99.1; this is ${release()}.`;
    expect(lacking("Maps of type x", result("unsupported", "99.1"))).toBe(text);
    expect(lacking("Maps of type x", result("refused", "99.1"))).toBe(text);
    expect(lacking("Maps of type x", result("unknown", "99.1"))).toBe(text);
  });

  it("goes by what the kernel says, not by its version: vendors bring features to older kernels, and leave some out", () => {
    expect(lacking("Maps of type x", result("supported", "99.1"))).toBeUndefined();
    const text = "Maps of type x are not built into this kernel.";
    expect(lacking("Maps of type x", result("unsupported", "3.1"))).toBe(text);
    expect(lacking("Maps of type x", result("unsupported"))).toBe(text);
    expect(lacking("Maps of type x", result("refused", "3.1"))).toBeUndefined();
  });
});

describe("askedOnce", () => {
  it("keeps what the kernel has and has not, and asks again what it refused or did not tell", () => {
    const asked: string[] = [];
    const ERRNO: Readonly<Record<string, number>> = { has: 0, hasNot: 22, refused: 1, full: 12 };
    const ask = askedOnce((name: string) => {
      asked.push(name);
      return judge(name, ERRNO[name] ?? 0);
    });
    const twice = ["has", "hasNot", "refused", "full"].map((name) => [ask(name).status, ask(name).status]);
    expect(twice).toEqual(["supported", "unsupported", "refused", "unknown"].map((status) => [status, status]));
    expect(asked).toEqual(["has", "hasNot", "refused", "refused", "full", "full"]);
  });
});
