import { accessSync, constants, statSync } from "node:fs";
import { type Child, type ChildEnd, SystemError, startChild } from "../../sdk/index.ts";

/** The command cannot be started. `exitCode` is what a shell would answer: 127 not found, 126 not executable. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code = "SKEP_COMMAND";
  readonly exitCode: 126 | 127;
  constructor(message: string, exitCode: 126 | 127) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * The file a command name stands for, found as execvp(3) does. It is looked up here so that the child does not try one
 * folder of PATH after the other, which would all show in the trace.
 */
export function findCommand(name: string, path: string = process.env["PATH"] ?? "/usr/bin:/bin"): string {
  if (name.includes("/")) return checkExecutable(name);
  for (const folder of path.split(":")) {
    const file = `${folder === "" ? "." : folder}/${name}`;
    if (isExecutableFile(file)) return file;
  }
  throw new CommandError(`Cannot run ${name}: there is no such command in PATH.`, 127);
}

function checkExecutable(file: string): string {
  if (isExecutableFile(file)) return file;
  let found: ReturnType<typeof statSync> | undefined;
  try {
    found = statSync(file);
  } catch {
    throw new CommandError(`Cannot run ${file}: there is no such file.`, 127);
  }
  throw new CommandError(`Cannot run ${file}: it is ${found?.isDirectory() ? "a folder" : "not executable"}.`, 126);
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** How a command ended: an exit code, or the number of the signal that killed it. */
export type CommandEnd = ChildEnd;

/** Starts the command with Skep's own stdin, stdout and stderr. Its end is reported once. Throws a CommandError. */
export function startCommand(file: string, words: readonly string[], onEnd: (end: CommandEnd) => void): Child {
  try {
    return startChild(file, words, process.env, onEnd);
  } catch (error) {
    if (error instanceof SystemError) throw new CommandError(error.message, error.code === "ENOENT" ? 127 : 126);
    throw error;
  }
}
