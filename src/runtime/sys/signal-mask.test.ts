import { describe, expect, it } from "vitest";
import { despiteSignals } from "./signal-mask.ts";

describe("a call that gives up for a signal", () => {
  const answers = (...results: readonly number[]) => {
    let calls = 0;
    const call = () => results[calls++] ?? 0;
    return { result: despiteSignals(call, (result) => result === -11), calls: () => calls };
  };

  it("is made once when nothing comes between", () => {
    const { result, calls } = answers(7, 8);
    expect([result, calls()]).toEqual([7, 1]);
  });

  it("is made again, also when the process was stopped meanwhile", () => {
    const { result, calls } = answers(-11, -11, -11, -11, 7);
    expect([result, calls()]).toEqual([7, 5]);
  });

  it("is made no more when another error comes", () => {
    const { result, calls } = answers(-11, -13, 7);
    expect([result, calls()]).toEqual([-13, 2]);
  });

  it("is given up in the end", () => {
    const { result, calls } = answers(...new Array(20).fill(-11));
    expect([result, calls()]).toEqual([-11, 5]);
  });
});
