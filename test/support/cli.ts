// Runs the built command as people do, and takes down what it printed.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pace } from "./pace.ts";
import { isAtLeast } from "./requirements.ts";

// This file runs as dist-test/test/support/cli.js.
export const root: string = fileURLToPath(new URL("../../..", import.meta.url));
export const skepPath: string = join(root, "bin", "skep.js");

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Called with the started process, to send it signals. */
  readonly started?: (child: ChildProcess) => void;
}

/** Runs any command to its end. A time-out kills it and fails the test by its signal. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const [file, ...args] = command as [string, ...string[]];
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? environment(),
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMs ?? pace(60_000, 300_000),
      killSignal: "SIGKILL",
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
    options.started?.(child);
  });
}

/** Runs `skep`. */
export function skep(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run([process.execPath, skepPath, ...args], options);
}

/** The environment without what would change the output. */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, NODE_TEST_CONTEXT: ___, NO_COLOR: ____, ...rest } = process.env;
  return { ...rest, ...extra };
}

/** A folder for one test, gone afterwards. */
export class Scratch {
  readonly path: string = mkdtempSync(join(tmpdir(), "skep-test-"));

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const COMMAND_PARTS: readonly string[] = ["bin", "dist/cli", "prebuilds", "package.json"];

/** A copy of the built command that any user can read, because the checkout may lie in a folder of root's. */
export function publicCopy(scratch: Scratch, parts: readonly string[] = COMMAND_PARTS): string {
  chmodSync(scratch.path, 0o755);
  for (const part of parts) {
    cpSync(join(root, part), scratch.file(part), { recursive: true });
  }
  return scratch.file("bin/skep.js");
}

/** A copy of a compiled test child (test/kernel/children/NAME.ts) with all it imports, for any user to run. Returns its path. */
export function publicChild(scratch: Scratch, name: string): string {
  chmodSync(scratch.path, 0o755);
  for (const part of ["dist-test/test/children", "dist-test/fixtures", "prebuilds", "package.json"]) {
    cpSync(join(root, part), scratch.file(part), { recursive: true });
  }
  return scratch.file(`dist-test/test/children/${name}.js`);
}

/** Words before a command that take every capability away from it. */
export const WITHOUT_CAPABILITIES: readonly string[] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

/** Words before a command that make it another user's, without any right. */
export const AS_NOBODY: readonly string[] = [
  "setpriv",
  "--reuid=65534",
  "--regid=65534",
  "--clear-groups",
  "--inh-caps=-all",
];

/**
 * Words before a command that make it another user's, with just these capabilities. Before Linux 5.11 also with the one
 * that raises the limit of locked memory, against which eBPF counts there.
 */
export function asNobodyWith(...capabilities: readonly string[]): string[] {
  const list = [...capabilities, ...(isAtLeast(release(), "5.11") ? [] : ["sys_resource"])]
    .map((name) => `+${name}`)
    .join(",");
  return [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    `--inh-caps=-all,${list}`,
    `--ambient-caps=-all,${list}`,
  ];
}
