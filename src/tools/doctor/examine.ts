import {
  kernelConfig,
  type ProbeResult,
  probeAttachKinds,
  probeEnvironment,
  probeHelpers,
  probeMapTypes,
  probeNative,
  probeProgramTypes,
  probeVerifier,
} from "../../sdk/index.ts";
import { probeTrace } from "../trace/index.ts";
import { type Ground, withAdvice } from "./advice.ts";
import { factChecks, heldCapabilities } from "./facts.ts";
import { DOCTOR_SCHEMA, type DoctorReport, type Feature } from "./report.ts";
import { type Findings, sdkVerdict, traceVerdict } from "./verdict.ts";

/** How thoroughly `examine` looks. */
export interface ExamineOptions {
  /** Every helper for every kind of program instead of some thirty; takes a second or so. */
  readonly allHelpers?: boolean;
  /** Skep's version, to stand in the report. */
  readonly skep?: string;
}

/**
 * Finds out what this kernel, this user and this machine can do. Programs and maps are made and let go of at once;
 * nothing is attached, and nothing stays. Throws nothing: what cannot be found out is in the report as unknown.
 */
export function examine(options: ExamineOptions = {}): DoctorReport {
  const environment = probeEnvironment();
  const config = kernelConfig();
  const native = probeNative();
  const node = process.versions.node;
  const configPath = { path: config.value?.path, ...(config.reason !== undefined && { reason: config.reason }) };
  const facts = factChecks(environment, native, configPath, node);
  const ground: Ground = {
    release: environment.release,
    config: config.value,
    held: heldCapabilities(environment),
  };
  const ask = <R extends ProbeResult>(kind: Parameters<typeof withAdvice>[0], probe: () => R[]): (R & Feature)[] =>
    native.problem === undefined ? probe().map((result) => withAdvice(kind, result, ground)) : [];
  const findings: Findings = {
    schema: DOCTOR_SCHEMA,
    ...(options.skep !== undefined && { skep: options.skep }),
    node,
    environment,
    kernelConfig: config.value?.path,
    native,
    facts,
    attachKinds: ask("attachKinds", probeAttachKinds),
    programTypes: ask("programTypes", probeProgramTypes),
    mapTypes: ask("mapTypes", probeMapTypes),
    verifier: ask("verifier", probeVerifier),
    helpers: ask("helpers", () => probeHelpers({ all: options.allHelpers ?? false })),
  };
  const trace = traceVerdict(findings, native.problem === undefined ? probeTrace() : []);
  const verdicts = [trace, sdkVerdict(findings)];
  return { ...findings, ok: trace.status !== "fails", verdicts };
}
