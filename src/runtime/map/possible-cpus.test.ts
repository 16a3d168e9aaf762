import { describe, expect, it } from "vitest";
import { parseCpuList } from "./possible-cpus.ts";

describe("CPU lists", () => {
  it("are counted by the CPUs they name: those in gaps have no values", () => {
    expect(parseCpuList("0\n")).toBe(1);
    expect(parseCpuList("0-7")).toBe(8);
    expect(parseCpuList("0,2-5")).toBe(5);
    expect(parseCpuList("0-1,64-65,127")).toBe(5);
  });
  it("that are none are refused", () => {
    for (const text of ["", "a", "1-", "3-1", "0,,1", "0-7;8"])
      expect(() => parseCpuList(text)).toThrow(/is not a CPU list/);
  });
});
