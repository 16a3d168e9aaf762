import { buildNativeAddon } from "./build-native.ts";
import { examine } from "./examine.ts";
import { formatReport } from "./view/text-view.ts";

/** What `skep doctor` was asked for. */
export interface DoctorRequest {
  readonly json: boolean;
  /** Every helper. */
  readonly all: boolean;
  /** Compile the native addon first. */
  readonly buildNative: boolean;
  /** Colours in any case or never; undefined: on a terminal, unless NO_COLOR is set. */
  readonly colour: boolean | undefined;
  /** Skep's version. */
  readonly version?: string;
}

const WIDTH = 110;

/** Prints the report to stdout; the exit code is 0 when `skep trace` can work and 1 when it cannot. */
export function runDoctor(request: DoctorRequest): number {
  if (request.buildNative) process.stderr.write(`Built ${buildNativeAddon()}\n`);
  // Whoever read the beginning and went away (| head) has what it wanted.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  const report = examine({
    allHelpers: request.all,
    ...(request.version !== undefined && { skep: request.version }),
  });
  if (request.json) {
    const orNull = (_: string, value: unknown) => (value === undefined ? null : value);
    process.stdout.write(`${JSON.stringify(report, orNull, 2)}\n`);
  } else {
    const { stdout, env } = process;
    const colour = request.colour ?? (stdout.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb");
    const width = Math.min(stdout.columns ?? WIDTH, WIDTH);
    stdout.write(formatReport(report, { colour, width, allHelpers: request.all }));
  }
  return report.ok ? 0 : 1;
}
