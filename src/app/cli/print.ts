import { writeSync } from "node:fs";

let isWatched = false;

/** Prints a line. */
export function print(line: string): void {
  write(`${line}\n`);
}

/** Prints as it is. Whoever read the beginning and went away (`| head`) has what it wanted: the rest is nobody's. */
export function write(text: string): void {
  if (!isWatched) {
    isWatched = true;
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(0);
    });
  }
  process.stdout.write(text);
}

/** Says something on standard error at once. Node's own stream for it takes a millisecond to load, which starts need not wait for. */
export function note(text: string): void {
  if (text === "") return;
  try {
    writeSync(2, text);
  } catch {
    // A pipe that is full for the moment, or closed: the stream knows what to do.
    process.stderr.write(text);
  }
}

/** Tells of what a list leaves out, as this version of Skep does not know its kind. */
export function tellNewer(command: string, ids: readonly number[]): void {
  if (ids.length > 0)
    process.stderr.write(
      `skep ${command}: not shown, as their kind is newer than this version of Skep: ${ids.join(", ")}\n`,
    );
}

/** Ends when Ctrl-C is pressed or the process is asked to end; what has been counted until then is still shown. */
export function untilInterrupted(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());
  return abort.signal;
}
