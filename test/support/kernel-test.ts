// `kernelTest` is node:test's `test` with Skep's two house rules: a test may be skipped only for a reason that holds on
// this machine (requirements.ts), and it fails when it leaves a file descriptor of the library open.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  kernelConfig,
  openFds,
  type ProbeResult,
  probeAttachKinds,
  probeMapTypes,
  probeProgramTypes,
  trackFds,
} from "../../src/sdk/index.ts";
import { root } from "./cli.ts";
import { pace } from "./pace.ts";
import { decide, isAtLeast, type Machine, type Requirements } from "./requirements.ts";

export type { Requirements } from "./requirements.ts";

trackFds();

type Body = (t: TestContext) => void | Promise<void>;

export function kernelTest(name: string, body: Body): void;
export function kernelTest(name: string, requirements: Requirements, body: Body): void;
export function kernelTest(name: string, first: Requirements | Body, second?: Body): void {
  const requirements = typeof first === "function" ? {} : first;
  const body = (second ?? first) as Body;
  const decision = decide(requirements, machine);
  const skip = !decision.run && "skip" in decision ? decision.skip : undefined;
  test(name, { timeout: pace(120_000, 300_000), ...(skip !== undefined && { skip }) }, async (t) => {
    if (!decision.run && "fail" in decision) throw new Error(`It may not be skipped. ${decision.fail}`);
    const before = new Set(openFds());
    await body(t);
    const leaked = openFds().filter((fd) => !before.has(fd));
    if (leaked.length > 0) {
      throw new Error(`${leaked.length} file descriptors are left open:\n${leaked.map((fd) => fd.stack).join("\n")}`);
    }
  });
}

/**
 * A test of what is the same on every kernel: what commands say of their arguments and of sources, when a process ends. It runs
 * where processes start fast, on the machine itself.
 */
export function hostTest(name: string, body: Body): void;
export function hostTest(name: string, requirements: Requirements, body: Body): void;
export function hostTest(name: string, first: Requirements | Body, second?: Body): void {
  if (machine.virtual) test(name, { skip: "is the same on every kernel: it runs on the machine itself" }, () => {});
  else if (typeof first === "function") kernelTest(name, first);
  else kernelTest(name, first, second as Body);
}

const PROBES = { program: probeProgramTypes, attach: probeAttachKinds, map: probeMapTypes } as const;
const probed = new Map<keyof typeof PROBES, ReadonlyMap<string, ProbeResult>>();
let config: ReturnType<typeof kernelConfig> | undefined;

/** The machine the tests run on; asked only for what a test needs. */
export const machine: Machine = {
  root: process.getuid?.() === 0,
  release: release(),
  virtual: process.env["SKEP_VM"] === "1",
  option(name) {
    config ??= kernelConfig();
    return config.value?.option(name);
  },
  probe(kind, name) {
    let results = probed.get(kind);
    if (results === undefined) {
      results = new Map(PROBES[kind]().map((result) => [result.name, result]));
      probed.set(kind, results);
    }
    return results.get(name);
  },
  hasCommand,
  refusals: JSON.parse(readFileSync(join(root, "test", "host-refusals.json"), "utf8")),
};

export function kernelIsAtLeast(version: string): boolean {
  return isAtLeast(release(), version);
}

export function hasCommand(name: string): boolean {
  return spawnSync("sh", ["-c", `command -v "$0"`, name]).status === 0;
}
