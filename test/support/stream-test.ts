// What tests of streams have in common.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { kernelTest } from "./kernel-test.ts";
import { onOneCpu } from "./senders.ts";

/** A test that reads what senders.ts sends, from one CPU. */
export function streamTest(name: string, body: () => void | Promise<void>): void {
  kernelTest(name, { kernel: "5.10" }, onOneCpu(body));
}

/** Until it is so, for some seconds at the most. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 5000 && !condition(); i++) await sleep(1);
  assert.ok(condition(), "it never came true");
}
