import { loadChunk } from "./chunk.ts";

/** package.json's version, put in by the build. */
declare const SKEP_VERSION: string;
const version = SKEP_VERSION;

/** What a command's chunk offers. */
interface Command {
  run(args: readonly string[]): Promise<number>;
}

/** The commands; each is a bundle of its own beside this one, loaded when it is asked for. */
const COMMANDS: Readonly<Record<string, string>> = {
  trace: "show the system calls of a command, a process or a cgroup",
  object: "tell what an eBPF object file holds, whether it fits this kernel, and load it",
  doctor: "tell what this kernel, this user and this machine can do, and how to mend what is missing",
};

const HELP = `skep ${version}: eBPF for TypeScript

Usage: skep COMMAND [OPTIONS]

Commands:
${Object.entries(COMMANDS)
  .map(([name, text]) => `  ${name.padEnd(10)} ${text}`)
  .join("\n")}

Options:
  -h, --help     this text; skep COMMAND --help tells more
  -V, --version  the version

Examples:
  skep trace -- ls -l            every system call of ls, as it happens
  skep trace -c -- npm test      how many, how long, how often failed
  skep trace -e %file -p 1234    what a running process does with files
  skep doctor                    what works here
`;

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name !== undefined && Object.hasOwn(COMMANDS, name)) {
    const command = loadChunk<Command>(name);
    const code = await command.exports.run(rest);
    command.remember();
    return code;
  }
  if (name === "-V" || name === "--version") {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (name === undefined || name === "-h" || name === "--help" || name === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  const close = Object.keys(COMMANDS).find((c) => c.startsWith(name) || name.startsWith(c));
  const advice = close === undefined ? "skep --help lists the commands." : `Did you mean skep ${close}?`;
  process.stderr.write(`skep: there is no command "${name}". ${advice}\n`);
  return 2;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const { code } = error as { code?: unknown };
    // Errors with a code are sentences for people; anything else is a fault of ours and shows where it came from.
    const known = error instanceof Error && typeof code === "string";
    process.stderr.write(
      `skep: ${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = code === "EPERM" ? 3 : 1;
  },
);
