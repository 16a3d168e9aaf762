import { describe, expect, it } from "vitest";
import { syscallNumber } from "../../machine/proc/index.ts";
import { COMPAT_CLONE, cloneNumbers, nameOfCall } from "./names.ts";

describe("names of calls", () => {
  it("know clone by its numbers, those of 32-bit programs among them", () => {
    for (const arch of ["ia32", "arm"]) expect(syscallNumber("clone", arch)).toBe(COMPAT_CLONE);
    expect([...cloneNumbers("x64")].sort((a, b) => a - b)).toEqual([syscallNumber("clone", "x64"), COMPAT_CLONE]);
    expect([...cloneNumbers("arm64")].sort((a, b) => a - b)).toEqual([COMPAT_CLONE, syscallNumber("clone", "arm64")]);
  });

  it("are made up for numbers that no table has", () => {
    expect(nameOfCall(70_000, false)).toBe("syscall_70000");
    expect(nameOfCall(-1, false)).toBe("(other)");
  });
});
