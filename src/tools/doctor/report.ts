import type { Environment, HelperResult, NativeAddon, ProbeResult } from "../../sdk/index.ts";

/** The name and version of the report's shape. A change that breaks readers makes it `/2`. */
export const DOCTOR_SCHEMA = "skep.doctor/1";

/** What a feature's answer means for a person. */
export interface Advice {
  /** What works because of it, or does not without it. */
  readonly consequence?: string;
  /** What to do about it; absent where nothing is wrong or nothing can be done. */
  readonly mend?: string;
}

/** A feature of the kernel that was probed. */
export type Feature = ProbeResult & Advice;
/** A helper function of the kernel: in which kinds of programs it can be called, and what follows from that. */
export type HelperFeature = HelperResult & Advice;

/** `good`: as it should be. `bad`: something does not work because of it. `note`: good to know. `unknown`: not readable. */
export type FactVerdict = "good" | "bad" | "note" | "unknown";

/** A fact of this process or machine, for people; the values for programs are in `environment`. */
export interface FactCheck extends Advice {
  readonly group: "process" | "kernel" | "mounts";
  readonly name: string;
  readonly value: string;
  readonly verdict: FactVerdict;
}

/** Whether something of Skep's works here, as a whole. */
export interface Verdict {
  /** `skep trace`, `your own programs` … */
  readonly name: string;
  /** `limited`: the greater part works. */
  readonly status: "works" | "limited" | "fails";
  /** One sentence. */
  readonly summary: string;
  /** Where it stands on its ladder of ways to work, 1 being the best. */
  readonly rung?: number;
  readonly rungs?: number;
  /** What does not work, and why. */
  readonly problems: readonly string[];
  /** What to do, each a step. */
  readonly mend: readonly string[];
}

/** Everything `skep doctor` found out; printed as it is by `--json`. */
export interface DoctorReport {
  readonly schema: typeof DOCTOR_SCHEMA;
  /** Skep's own version, when the caller gave it. */
  readonly skep?: string;
  readonly node: string;
  /** Whether `skep trace` can work: the ground of the exit code. */
  readonly ok: boolean;
  readonly verdicts: readonly Verdict[];
  readonly environment: Environment;
  /** Where the kernel's build options were read; undefined when nowhere. */
  readonly kernelConfig: string | undefined;
  readonly native: NativeAddon;
  readonly facts: readonly FactCheck[];
  /** Empty, like the lists below, when the native addon does not load: nothing could be asked. */
  readonly attachKinds: readonly Feature[];
  readonly programTypes: readonly Feature[];
  readonly mapTypes: readonly Feature[];
  readonly verifier: readonly Feature[];
  readonly helpers: readonly HelperFeature[];
}
