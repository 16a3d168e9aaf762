/** package.json's version, put in by the build. */
declare const SKEP_VERSION: string;
const version = SKEP_VERSION;

/** The commands; each is a chunk of its own beside this one, which bin/skep.js runs. */
const COMMANDS: Readonly<Record<string, string>> = {
  trace: "show the system calls of a command, a process or a cgroup",
  run: "compile kernel TypeScript, load it, and show what it sends and counts; one-liners, too",
  check: "tell what is wrong with kernel TypeScript, without loading it",
  dis: "show the instructions that kernel TypeScript becomes, under its lines",
  types: "declare what kernel TypeScript names of the kernel, for TypeScript and editors",
  explain: "tell what a diagnostic of kernel TypeScript means, and what to write",
  prog: "show the eBPF programs that are loaded, profile and run them",
  map: "show the eBPF maps that there are, read, change and watch them",
  link: "show what eBPF programs are attached to, detach and pin it",
  hotswap: "replace programs under load, and tell what became of each event",
  object: "tell what an eBPF object file holds, whether it fits this kernel, and load it",
  compile: "make an eBPF object of C, with clang",
  gen: "write the TypeScript types of an object file",
  btf: "find and print the types of the kernel, a module or an object",
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
  skep run -e 'tp("syscalls:sys_enter_openat", count[comm()]++)'
  skep prog list                 the programs that are loaded, and who holds them
  skep map dump counts           what a map holds, decoded
  skep object show x.bpf.o       what an object file holds
  skep btf find task_struct.pid  where a field of the kernel's is
  skep doctor                    what works here
`;

/** What is no command: help, the version, or a name that there is not. */
export function help([name]: readonly string[]): void {
  if (name === "-V" || name === "--version") {
    process.stdout.write(`${version}\n`);
    return;
  }
  if (name === undefined || name === "-h" || name === "--help" || name === "help") {
    process.stdout.write(HELP);
    return;
  }
  const close = Object.keys(COMMANDS).find((c) => c.startsWith(name) || name.startsWith(c));
  const advice = close === undefined ? "skep --help lists the commands." : `Did you mean skep ${close}?`;
  process.stderr.write(`skep: there is no command "${name}". ${advice}\n`);
  process.exitCode = 2;
}

/** Errors with a code are sentences for people; anything else is a fault of ours and shows where it came from. */
export function fail(error: unknown): void {
  const { code } = error as { code?: unknown };
  const known = error instanceof Error && typeof code === "string";
  process.stderr.write(
    `skep: ${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = code === "EPERM" ? 3 : 1;
}
