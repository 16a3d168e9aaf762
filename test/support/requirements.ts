// When a kernel test may be skipped. The rule (docs/architecture.md): the probe says that the feature is missing AND the
// kernel is older than its first version, or was built or booted without it, or — on a development machine only, never
// in a virtual machine — the kind is in test/host-refusals.json. Anything else is a failure, not a skip.

/** What a test needs of the machine. */
export interface Requirements {
  /** The first kernel that has the feature, e.g. `5.12`. Never a reason to skip on that kernel or a later one. */
  readonly kernel?: string;
  /** Build options (`CONFIG_KPROBES`) that the kernel must have. */
  readonly config?: string | readonly string[];
  /** Program types as in `ProgramType`; each is probed. */
  readonly program?: string | readonly string[];
  /** Attach kinds by their name in `skep doctor` (`fentry`, `lsm`, `uprobes`); each is probed. */
  readonly attach?: string | readonly string[];
  /** Map types as in `MapType`; each is probed. */
  readonly map?: string | readonly string[];
  /** A program from outside the project (strace, curl …), which may be absent. */
  readonly command?: string | readonly string[];
  /** Any other reason, decided by the test: why it cannot run here, or undefined when it can. */
  readonly unless?: string | undefined;
}

/** A probe's answer, as far as it counts here. */
export interface Probed {
  readonly name: string;
  readonly status: "supported" | "unsupported" | "refused" | "unknown";
  readonly since?: string;
  readonly error?: string;
  readonly reason?: string;
}

/** What is known of the machine. */
export interface Machine {
  readonly root: boolean;
  readonly release: string;
  /** Whether it is one of the test's own virtual machines. */
  readonly virtual: boolean;
  /** `n` when off; undefined when the build options are not known. */
  option(name: string): string | undefined;
  probe(kind: "program" | "attach" | "map", name: string): Probed | undefined;
  hasCommand(name: string): boolean;
  /** Kinds that development machines refuse, with the errno's name. */
  readonly refusals: Readonly<Record<string, string>>;
}

/** What to do with the test; `fail` is why it must fail instead of being skipped. */
export type Decision =
  | { readonly run: true }
  | { readonly run: false; readonly skip: string }
  | { readonly run: false; readonly fail: string };

const RUN: Decision = { run: true };
/** The name in host-refusals.json where it is not the probe's own. */
const REFUSAL_NAMES: Readonly<Record<string, string>> = { ext: "freplace" };

export function decide(requirements: Requirements, machine: Machine): Decision {
  const skip = (why: string): Decision => ({ run: false, skip: why });
  if (!machine.root) return skip("needs root");
  const { kernel, unless } = requirements;
  if (kernel !== undefined && !isAtLeast(machine.release, kernel))
    return skip(`needs Linux ${kernel}, this is ${machine.release}`);
  for (const option of list(requirements.config)) {
    if (machine.option(option) === "n") return skip(`this kernel is built without ${option}`);
  }
  for (const kind of ["program", "attach", "map"] as const) {
    for (const name of list(requirements[kind])) {
      const decision = judge(name, machine.probe(kind, name), machine);
      if (!decision.run) return decision;
    }
  }
  for (const name of list(requirements.command)) {
    if (!machine.hasCommand(name)) return skip(`${name} is not installed`);
  }
  return unless === undefined ? RUN : skip(unless);
}

function judge(name: string, probed: Probed | undefined, { release, virtual, refusals }: Machine): Decision {
  if (probed === undefined) return { run: false, fail: `No probe is called ${name}.` };
  if (probed.status === "supported") return RUN;
  const why = `${name} is ${probed.status} (${[probed.error, probed.reason].filter(Boolean).join(": ")})`;
  if (probed.since !== undefined && !isAtLeast(release, probed.since)) {
    return { run: false, skip: `${name} needs Linux ${probed.since}, this is ${release}` };
  }
  // A boot parameter: lsm= without bpf.
  if (probed.reason?.includes("list of security modules") === true) return { run: false, skip: why };
  const refusal = refusals[REFUSAL_NAMES[name] ?? name];
  if (!virtual && refusal !== undefined && probed.status === "refused" && refusal === probed.error) {
    return { run: false, skip: `${name} is refused on this machine (${refusal}, test/host-refusals.json)` };
  }
  return { run: false, fail: `This kernel should have it: ${why}.` };
}

export function isAtLeast(release: string, version: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/).slice(0, 2).map(Number);
  const [major = 0, minor = 0] = numbers(version);
  const [thisMajor = 0, thisMinor = 0] = numbers(release);
  return thisMajor > major || (thisMajor === major && thisMinor >= minor);
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : [value].flat();
}
