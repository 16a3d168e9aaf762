// Which kernels there are: the Debian releases that carry each series, and the lanes (other ways to boot the same kernel).
import { VmError } from "./home.js";

/**
 * The series of the matrix and where Debian keeps them. `archive` is the main archive or the security one: which host
 * serves it is taken from the machine's own apt sources.
 */
export const KERNELS = [
  {
    series: "5.10",
    archive: "security",
    suite: "bullseye-security",
    everyTime: true,
    // Its own list has no bpf, without which LSM programs are never called.
    kernelArguments: ["lsm=lockdown,yama,apparmor,bpf"],
  },
  { series: "6.1", archive: "security", suite: "bookworm-security", everyTime: true },
  { series: "6.12", archive: "security", suite: "bookworm-security", everyTime: true },
  { series: "6.16", archive: "main", suite: "trixie-backports", everyTime: false },
  { series: "6.18", archive: "main", suite: "trixie-backports", everyTime: false },
  { series: "7.3", archive: "main", suite: "trixie-backports", everyTime: false },
];

/** Where the newest kernel is looked for; its series is found out when it is fetched. */
export const NEWEST = { series: "newest", archive: "main", suite: "trixie-backports", everyTime: true };

/** What a lane changes about the machine. */
const LANES = {
  /** Kernel code can be interrupted anywhere: finds what wrongly relies on staying on its CPU. */
  preempt: (machine) => {
    machine.kernelArguments.push("preempt=full");
  },
  /** Four CPUs are possible and one is there: finds sizes taken from the CPUs that are online. */
  maxcpus: (machine) => {
    machine.maxCpus = 4;
  },
};

/**
 * Reads `6.12`, `newest`, `6.12+preempt+maxcpus`.
 * @returns {{ name: string, kernel: string, kernelArguments: string[], maxCpus: number | undefined }}
 */
export function parseMachine(name) {
  const [kernel, ...lanes] = name.split("+");
  const own = KERNELS.find(({ series }) => series === kernel)?.kernelArguments ?? [];
  const machine = { name, kernel, kernelArguments: [...own], maxCpus: undefined };
  for (const lane of lanes) {
    if (!Object.hasOwn(LANES, lane)) {
      throw new VmError(`There is no lane ${lane} (in ${name}); there are ${Object.keys(LANES).join(", ")}.`);
    }
    LANES[lane](machine);
  }
  return machine;
}

/** The kernels and lanes of `npm test`, and those of `npm test -- --all`. */
export function matrix(all) {
  const kernels = KERNELS.filter(({ everyTime }) => all || everyTime).map(({ series }) => series);
  return all ? [...kernels, NEWEST.series, "6.12+preempt+maxcpus"] : [...kernels, NEWEST.series];
}
