import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { environment } from "./cli.ts";
import { fixture } from "./fixture.ts";

/** Runs the fixture `probed`; `call` makes it call its function once and waits until it has. */
export async function withProbed(body: (pid: number, call: () => Promise<void>) => Promise<void>): Promise<void> {
  const child = spawn(fixture("probed"), { stdio: ["pipe", "pipe", "inherit"], env: environment() });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  try {
    await body(child.pid as number, async () => {
      child.stdin.write("\n");
      assert.equal((await lines.next()).done, false);
    });
  } finally {
    child.stdin.end();
    await once(child, "exit");
  }
}
