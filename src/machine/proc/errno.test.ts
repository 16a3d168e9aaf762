import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { describe, expect, it } from "vitest";
import { errnoMessage, errnoName } from "./index.ts";

const SECOND_NAMES = new Set(["EWOULDBLOCK", "ENOTSUP"]);

describe("error numbers", () => {
  it("are named as Node names them", () => {
    for (const [name, n] of Object.entries(constants.errno)) {
      if (!SECOND_NAMES.has(name)) expect(errnoName(n)).toBe(name);
    }
    for (const [n, [name]] of getSystemErrorMap()) {
      // libuv's own errors have no number in the kernel; ENOTSUP is EOPNOTSUPP's second name.
      if (n > -3000 && n < 0 && name !== "ENOTSUP") expect(errnoName(-n)).toBe(name);
    }
  });

  it("are all there to 133", () => {
    for (let n = 1; n <= 133; n++) {
      if (n === 41 || n === 58) expect(errnoName(n)).toBe(`errno ${n}`);
      else expect(errnoName(n)).toMatch(/^E[A-Z0-9]+$/);
      expect(errnoMessage(n)).not.toBe("");
    }
  });

  it("have glibc's messages", () => {
    expect(errnoMessage(2)).toBe("No such file or directory");
    expect(errnoMessage(1)).toBe("Operation not permitted");
    expect(errnoMessage(11)).toBe("Resource temporarily unavailable");
    expect(errnoMessage(95)).toBe("Operation not supported");
    expect(errnoMessage(133)).toBe("Memory page has hardware error");
  });

  it("include those that live inside the kernel", () => {
    expect([512, 513, 514, 515, 516, 524].map(errnoName)).toEqual([
      "ERESTARTSYS",
      "ERESTARTNOINTR",
      "ERESTARTNOHAND",
      "ENOIOCTLCMD",
      "ERESTART_RESTARTBLOCK",
      "ENOTSUPP",
    ]);
    expect(errnoMessage(512)).toBe("To be restarted if SA_RESTART is set");
  });

  it("say so when no one has named them", () => {
    expect(errnoName(4000)).toBe("errno 4000");
    expect(errnoMessage(4000)).toBe("Unknown error 4000");
    expect(errnoName(0)).toBe("errno 0");
  });
});
