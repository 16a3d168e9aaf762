import assert from "node:assert/strict";
import { native } from "../../src/runtime/sys/index.ts";
import { pace } from "./pace.ts";

const SETITIMER = process.arch === "arm64" ? 103 : 38;

/** Sends this process SIGALRM all the time; what it returns ends that, and waits until one has come. */
export function signalStorm(): () => Promise<void> {
  let signals = 0;
  const count = () => void signals++;
  process.on("SIGALRM", count);
  // An emulated machine would do nothing but take signals.
  const every = pace(200n, 5000n);
  assert.equal(native().syscall(SETITIMER, 0, new BigInt64Array([0n, every, 0n, every]), 0), 0);
  return async () => {
    native().syscall(SETITIMER, 0, new BigInt64Array(4), 0);
    // Node hands them on when it comes to its loop, which the storm may have kept it from.
    for (let i = 0; i < 500 && signals === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    process.off("SIGALRM", count);
    assert.ok(signals > 0, "no signal came");
  };
}
