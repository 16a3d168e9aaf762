// npm run fuzz -- accept --kernel 6.1: the steps of prepared.ts, here and in a virtual machine.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Files, step } from "./prepared.ts";
import { PROGRAMS_PER_MODULE, type Sent, tell, told } from "./run.ts";

const checkout = fileURLToPath(new URL("../../../..", import.meta.url));

/** In seconds; most of it is the kernel's verifier, which is emulated. */
const TIME_OUT = 3600;

function filesOf(folder: string): Files {
  return {
    target: `${folder}/target.json`,
    prepared: `${folder}/prepared`,
    outcomes: `${folder}/outcomes.jsonl`,
    others: `${folder}/others`,
    otherOutcomes: `${folder}/other-outcomes.jsonl`,
    report: `${folder}/report.json`,
  };
}

export interface InKernel {
  readonly programs: number;
  readonly seed: number;
  /** A virtual machine's, as `npm run vm` names it. */
  readonly kernel: string;
  /** A step alone; by default all of them. */
  readonly step?: string | undefined;
}

/** Resolves with the number of failures. */
export async function fuzzInKernel({ programs, seed, kernel, step: only }: InKernel): Promise<number> {
  const folder = `${checkout}dist-test/accept/${kernel}`;
  const files = filesOf(folder);
  const counts = { modules: Math.ceil(programs / PROGRAMS_PER_MODULE), programs: PROGRAMS_PER_MODULE, seed };
  let failures = 0;
  const heard = told(seed, () => failures++);
  if (only !== undefined) {
    step(only, files, counts, heard);
    return failures;
  }
  mkdirSync(folder, { recursive: true });
  const begin = performance.now();
  const guest = async (what: string, to: string): Promise<void> => {
    const part = `${to}.part`;
    const [script, ...more] = ["test/vm/cli.js", "--time-out", String(TIME_OUT), kernel, "--", process.execPath];
    const own = ["test/fuzz/run.js", "accept", "--kernel", kernel, "--step", what];
    await run(process.execPath, [script as string, ...more, ...own], part);
    renameSync(part, to);
  };
  if (!existsSync(files.target)) await guest("record", files.target);
  step("prepare", files, counts, heard);
  await guest("run", files.outcomes);
  rmSync(files.otherOutcomes, { force: true });
  step("others", files, counts, heard);
  if (statSync(files.others).size > 0) await guest("run-others", files.otherOutcomes);
  step("judge", files, counts, heard);
  tell([JSON.parse(readFileSync(files.report, "utf8")) as Sent], seed, (performance.now() - begin) / 1000, failures);
  return failures;
}

/** Runs a command; what it says goes into a file. */
function run(command: string, args: readonly string[], to: string): Promise<void> {
  const out = openSync(to, "w");
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: checkout, stdio: ["ignore", out, "inherit"] });
    child.on("error", reject);
    child.on("exit", (code) => {
      closeSync(out);
      if (code === 0) resolve();
      else reject(new Error(`${args.join(" ")} ended with ${code}`));
    });
  });
}
