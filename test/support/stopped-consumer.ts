import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { EventBooks } from "../../src/sdk/index.ts";
import { environment } from "./cli.ts";
import { pace } from "./pace.ts";

/** What a consumer tells at its end. */
export interface Told {
  readonly books: EventBooks;
  readonly rises: boolean;
}

/**
 * Runs test/kernel/children/consumer.ts with these words while `before`, then stopped (SIGSTOP) while `meanwhile`, and again
 * while `after`; what it tells then.
 */
export async function stoppedConsumer(
  words: readonly string[],
  { before, meanwhile, after }: Readonly<Record<"before" | "meanwhile" | "after", () => void | Promise<void>>>,
): Promise<Told> {
  const file = fileURLToPath(new URL("../children/consumer.js", import.meta.url));
  const child = spawn(process.execPath, [file, ...words], { env: environment(), stdio: ["pipe", "pipe", "inherit"] });
  const lines = linesOf(child);
  try {
    assert.equal(await lines.next(), "ready");
    await before();
    child.kill("SIGSTOP");
    await stopped(child);
    await meanwhile();
    child.kill("SIGCONT");
    await after();
    child.stdin.end();
    return JSON.parse(await lines.next()) as Told;
  } finally {
    child.kill("SIGKILL");
    await (child.exitCode ?? child.signalCode ?? once(child, "exit"));
  }
}

/** A child's lines as they come. */
export function linesOf(child: ChildProcess): { next(): Promise<string> } {
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    async next() {
      for (let i = 0; i < pace(2000, 20_000) && !text.includes("\n"); i++) await sleep(5);
      const end = text.indexOf("\n");
      assert.ok(end >= 0, "the child says nothing");
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return line;
    },
  };
}

/** Until the kernel says that it is stopped. */
async function stopped(child: ChildProcess): Promise<void> {
  const state = () => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${child.pid}/status`, "latin1"))?.[1];
  for (let i = 0; i < 1000 && state() !== "T"; i++) await sleep(1);
  assert.equal(state(), "T");
}
