import { constants } from "node:os";
import { expect, it } from "vitest";
import { signalName } from "./index.ts";

it("names signals as the system does", () => {
  const seconds = new Set(["SIGIOT", "SIGPOLL", "SIGUNUSED"]);
  for (const [name, n] of Object.entries(constants.signals)) if (!seconds.has(name)) expect(signalName(n)).toBe(name);
});

it("counts real-time signals as the kernel does", () => {
  expect([32, 33, 34, 64].map(signalName)).toEqual(["SIGRTMIN", "SIGRT_1", "SIGRT_2", "SIGRT_32"]);
});

it("shows what is no signal", () => {
  expect([0, 65, -1].map(signalName)).toEqual(["0", "SIG_65", "SIG_-1"]);
});
