// A program that is told what to do on its standard input, and answers each line with one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { environment } from "./cli.ts";

/** Runs a program while `body` talks with it; `say` gives the answer to a line. Afterwards its input ends, and so does it. */
export async function conversation(
  command: readonly [string, ...string[]],
  body: (pid: number, say: (line: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const [program, ...words] = command;
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"], env: environment() });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  try {
    await body(child.pid as number, async (line) => {
      child.stdin.write(`${line}\n`);
      const answer = await lines.next();
      assert.equal(answer.done, false, `${program} ended`);
      return answer.value as string;
    });
  } finally {
    child.stdin.end();
    await once(child, "exit");
  }
}
