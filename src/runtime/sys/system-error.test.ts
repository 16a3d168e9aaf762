import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { ClosedError, errnoName, SystemError } from "./index.ts";

describe("SystemError", () => {
  it("says what was wanted, what was called, what came of it, and what to do", () => {
    const cause = new Error("before");
    const error = new SystemError({
      errno: 28,
      syscall: "bpf(BPF_MAP_CREATE)",
      doing: 'create map "counts"',
      hint: "Make it smaller.",
      cause,
    });
    expect(error.message).toBe(
      'Cannot create map "counts": bpf(BPF_MAP_CREATE) failed with ENOSPC (no space left). Make it smaller.',
    );
    expect(error).toMatchObject({
      name: "SystemError",
      code: "ENOSPC",
      errno: 28,
      syscall: "bpf(BPF_MAP_CREATE)",
      hint: "Make it smaller.",
      cause,
    });
    expect(error).toBeInstanceOf(Error);
  });

  it("is short when little is known", () => {
    expect(new SystemError({ errno: 9, syscall: "close" }).message).toBe(
      "close failed with EBADF (bad file descriptor).",
    );
    const nameless = new SystemError({ errno: 4711, syscall: "ioctl" });
    expect([nameless.message, nameless.code]).toEqual(["ioctl failed with errno 4711.", "errno 4711"]);
  });

  it("asks for the capabilities only for EPERM, and keeps other hints", () => {
    const needs = ["CAP_BPF"] as const;
    const other = new SystemError({ errno: 22, syscall: "bpf", hint: "A size does not suit.", needs });
    expect(other.hint).toBe("A size does not suit.");
    const refused = new SystemError({ errno: 1, syscall: "bpf", hint: "never shown", needs });
    expect(refused.hint).toMatch(/CAP_BPF/);
    expect(new SystemError({ errno: 1, syscall: "bpf", hint: "The only one." }).hint).toBe("The only one.");
  });

  it("has a sentence for every errno that it names", () => {
    for (const number of Object.values(constants.errno)) {
      const { message, code } = new SystemError({ errno: number, syscall: "x" });
      expect(message).toMatch(/^x failed with E[A-Z0-9]+( \([a-z].*\))?\.$/);
      expect(code).toMatch(/^E[A-Z0-9]+$/);
    }
  });
});

describe("names of errno", () => {
  it("are those of the system, with the usual one where two share a number", () => {
    expect([1, 2, 11, 22, 95].map(errnoName)).toEqual(["EPERM", "ENOENT", "EAGAIN", "EINVAL", "EOPNOTSUPP"]);
    // The kernel's own, which libc does not have.
    expect(errnoName(524)).toBe("ENOTSUPP");
    expect(errnoName(4711)).toBe("errno 4711");
    expect(errnoName(0)).toBe("errno 0");
  });
});

describe("ClosedError", () => {
  it("names what is closed and what to do", () => {
    const error = new ClosedError('map "counts"');
    expect(error).toMatchObject({ name: "ClosedError", code: "SKEP_CLOSED" });
    expect(error.message).toMatch(/^map "counts" is closed: .*Keep it open/);
  });
});
