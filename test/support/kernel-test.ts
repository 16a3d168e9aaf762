// `kernelTest` is node:test's `test` with Skep's two house rules: a test may be skipped only for a reason that holds on
// this machine (docs/architecture.md), and it fails when it leaves a file descriptor of the library open.
import { spawnSync } from "node:child_process";
import { release } from "node:os";
import { type TestContext, test } from "node:test";
import { openFds, trackFds } from "../../src/sdk/index.ts";

trackFds();

/** What a test needs of the machine. */
export interface Requirements {
  /** The first kernel that has the feature, e.g. `5.12`. Never a reason to skip on that kernel or a later one. */
  readonly kernel?: string;
  /** A program from outside the project (strace, curl …), which may be absent. */
  readonly command?: string | readonly string[];
  /** Any other reason, decided by the test: why it cannot run here, or undefined when it can. */
  readonly unless?: string | undefined;
}

type Body = (t: TestContext) => void | Promise<void>;

export function kernelTest(name: string, body: Body): void;
export function kernelTest(name: string, requirements: Requirements, body: Body): void;
export function kernelTest(name: string, first: Requirements | Body, second?: Body): void {
  const requirements = typeof first === "function" ? {} : first;
  const body = (second ?? first) as Body;
  const skip = reasonToSkip(requirements);
  test(name, { timeout: 120_000, ...(skip !== undefined && { skip }) }, async (t) => {
    const before = new Set(openFds());
    await body(t);
    const leaked = openFds().filter((fd) => !before.has(fd));
    if (leaked.length > 0) {
      throw new Error(`${leaked.length} file descriptors are left open:\n${leaked.map((fd) => fd.stack).join("\n")}`);
    }
  });
}

function reasonToSkip({ kernel, command, unless }: Requirements): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (kernel !== undefined && !kernelIsAtLeast(kernel)) return `needs Linux ${kernel}, this is ${release()}`;
  for (const name of command === undefined ? [] : [command].flat()) {
    if (!hasCommand(name)) return `${name} is not installed`;
  }
  return unless;
}

export function kernelIsAtLeast(version: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/).slice(0, 2).map(Number);
  const [major = 0, minor = 0] = numbers(version);
  const [thisMajor = 0, thisMinor = 0] = numbers(release());
  return thisMajor > major || (thisMajor === major && thisMinor >= minor);
}

export function hasCommand(name: string): boolean {
  return spawnSync("sh", ["-c", `command -v "$0"`, name]).status === 0;
}
