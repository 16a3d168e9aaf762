import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Calls umask(2) so many times at so many a second, once its input ends. The number of each, from 1 on, is above the nine bits
 * that the kernel looks at; these stay as they are.
 */
const SCRIPT = `
const [count, rate] = process.argv.slice(1).map(Number);
const mask = process.umask();
process.stdin.resume().on("end", () => {
  const begin = process.hrtime.bigint();
  let number = 1;
  const step = () => {
    const due = Math.min(count, Number(process.hrtime.bigint() - begin) / 1e9 * rate);
    while (number <= due) process.umask(number++ * 512 + mask);
    if (number <= count) setImmediate(step);
  };
  step();
});
`;

/** The command of a process that calls umask(2) so often. */
export function umaskCalls(count: number, perSecond: number): readonly [string, ...string[]] {
  return [process.execPath, "-e", SCRIPT, String(count), String(perSecond)];
}

/** A process that makes numbered calls once its input ends, and then ends. */
export class NumberedCalls {
  readonly #child: ChildProcess;

  constructor([program, ...args]: readonly [string, ...string[]]) {
    this.#child = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  begin(): void {
    this.#child.stdin?.end();
  }

  async end(): Promise<void> {
    if (!this.ended) await once(this.#child, "exit");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
