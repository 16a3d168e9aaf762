import { type CapabilityName, explainPermission } from "./capability.ts";
import { kernelSince } from "./kernel-version.ts";
import { errnoName } from "./system-error.ts";

/**
 * What a probe found. `supported`: it works, here and for this process. `unsupported`: this kernel does not have it.
 * `refused`: the kernel may have it, but does not let this process (EPERM). `unknown`: it could not be found out.
 */
export type ProbeStatus = "supported" | "unsupported" | "refused" | "unknown";

/** The answer to one question about the kernel. */
export interface ProbeResult {
  readonly name: string;
  readonly status: ProbeStatus;
  /** The first kernel that has it, e.g. `5.8`, when built with everything it needs. Advice, never the ground of the answer. */
  readonly since?: string;
  /** The errno that led to the answer, when it is not plain support. */
  readonly error?: string;
  /** Why it is not supported, in a sentence, when more is known than the status says. */
  readonly reason?: string;
}

const EPERM = 1;
const E2BIG = 7;
const EINVAL = 22;
const ENOSYS = 38;
const EOPNOTSUPP = 95;
const ENOTSUPP = 524;

/**
 * Judges the errno of a probe. An attribute or type that a kernel does not know gives EINVAL, or E2BIG when it does not
 * know the field at all; EPERM is a refusal; any other error says nothing about support.
 */
export function judge(name: string, errno: number, since?: string, needs: readonly CapabilityName[] = []): ProbeResult {
  const base = { name, ...(since !== undefined && { since }) };
  if (errno === 0) return { ...base, status: "supported" };
  const error = errnoName(errno);
  switch (errno) {
    case EPERM:
      return { ...base, status: "refused", error, reason: explainPermission(needs) };
    case EINVAL:
    case E2BIG:
    case ENOSYS:
    case ENOTSUPP:
    case EOPNOTSUPP:
      return { ...base, status: "unsupported", error };
    default:
      return { ...base, status: "unknown", error, reason: `The kernel answered ${error}, which tells neither way.` };
  }
}

/** Asks once: what the kernel has does not change while the process runs. What it refused, or did not tell, is asked again. */
export function askedOnce<Name extends string>(ask: (name: Name) => ProbeResult): (name: Name) => ProbeResult {
  const answers = new Map<Name, ProbeResult>();
  return (name) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = ask(name);
    if (answer.status === "supported" || answer.status === "unsupported") answers.set(name, answer);
    return answer;
  };
}

/**
 * "Maps of type arena need Linux 6.9; this is 6.1.0.", or that the kernel was built without them; undefined where it has them, also
 * when it is older than the first that did. Where it did not tell, its version does.
 */
export function lacking(what: string, { status, since }: ProbeResult): string | undefined {
  if (status === "supported") return undefined;
  const needs = since === undefined ? undefined : kernelSince(what, since);
  return needs ?? (status === "unsupported" ? `${what} are not built into this kernel.` : undefined);
}
