import type { TraceAbility } from "../trace/index.ts";
import { heldCapabilities } from "./facts.ts";
import type { DoctorReport, Feature, Verdict } from "./report.ts";

/** The rungs of skep trace's ladder, best first. */
const RUNGS = [
  "raw tracepoints, a ring buffer and compare-and-exchange",
  "raw tracepoints and a ring buffer, without compare-and-exchange (before Linux 5.12)",
] as const;

const KINDS: Readonly<Record<TraceAbility["target"], string>> = {
  command: "skep trace COMMAND",
  pids: "skep trace -p",
  cgroup: "skep trace --cgroup",
};

export type Findings = Omit<DoctorReport, "ok" | "verdicts">;

/** Whether skep trace works: its own programs were loaded, and the kernel was asked for raw tracepoints. */
export function traceVerdict(findings: Findings, abilities: readonly TraceAbility[]): Verdict {
  const base = { name: "skep trace", rungs: RUNGS.length };
  const { native, attachKinds } = findings;
  if (native.problem !== undefined) {
    const mend = findings.facts.find((fact) => fact.name === "native addon")?.mend;
    return {
      ...base,
      status: "fails",
      summary: "skep trace does not work here: nothing can be asked of the kernel without the native addon.",
      problems: [native.problem],
      mend: mend === undefined ? [] : [mend],
    };
  }
  const raw = attachKinds.find(({ name }) => name === "raw tracepoints");
  const problems = [
    ...new Set(abilities.flatMap(({ problem }) => (problem === undefined ? [] : [firstLine(problem)]))),
  ];
  // Whoever may not load may not attach either: that is said once.
  const refusedAnyway = raw?.status === "refused" && problems.length > 0;
  if (raw !== undefined && raw.status !== "supported" && !refusedAnyway)
    problems.push(`Raw tracepoints: ${raw.reason ?? raw.status}`);
  const works = (ability: TraceAbility) => ability.problem === undefined;
  const able = raw?.status === "supported" ? abilities.filter(works) : [];
  if (able.length === 0) {
    return {
      ...base,
      status: "fails",
      summary: "skep trace does not work here.",
      problems,
      mend: mends(findings, raw),
    };
  }
  const rung = able.every(({ compareExchange }) => compareExchange) ? 1 : 2;
  const summary = `skep trace works here, on rung ${rung} of ${RUNGS.length}: ${RUNGS[rung - 1]}.`;
  const failing = abilities.filter((ability) => !works(ability));
  const noCgroup = findings.environment.cgroup2.value?.length === 0;
  if (noCgroup && !failing.some(({ target }) => target === "cgroup"))
    problems.push("No cgroup2 is mounted: skep trace --cgroup has nothing to name.");
  if (failing.length === 0 && !noCgroup) return { ...base, rung, status: "works", summary, problems, mend: [] };
  const without = failing.map(({ target, mode }) => `${KINDS[target]}${mode === "summary" ? " -c" : ""}`);
  if (noCgroup && !without.includes(KINDS.cgroup)) without.push(KINDS.cgroup);
  const cgroupMend = findings.facts.find(({ name }) => name === "cgroup2")?.mend;
  return {
    ...base,
    rung,
    status: "limited",
    summary: `${summary.slice(0, -1)}; not ${without.join(", ")}.`,
    problems,
    mend: noCgroup && cgroupMend !== undefined ? [cgroupMend] : [],
  };
}

/** Whether programs of one's own load and maps are made, and how much of what there is. */
export function sdkVerdict(findings: Findings): Verdict {
  const base = { name: "Your own programs" };
  const { native, programTypes, mapTypes, attachKinds } = findings;
  if (native.problem !== undefined) {
    return {
      ...base,
      status: "fails",
      summary: "Nothing can be loaded without the native addon.",
      problems: [],
      mend: [],
    };
  }
  const able = (features: readonly Feature[]) => features.filter(({ status }) => status === "supported").length;
  const [programs, maps, kinds] = [able(programTypes), able(mapTypes), able(attachKinds)];
  const summary = `Your own programs: ${programs} of ${programTypes.length} program types, ${maps} of ${mapTypes.length} map types and ${kinds} of ${attachKinds.length} attach kinds can be used.`;
  if (programs === 0 || maps === 0)
    return { ...base, status: "fails", summary, problems: [], mend: mends(findings, programTypes[0]) };
  const problems = [...byReason(attachKinds)].map(([reason, names]) => `${names.join(", ")}: ${reason}`);
  const all = programs === programTypes.length && maps === mapTypes.length && kinds === attachKinds.length;
  return { ...base, status: all ? "works" : "limited", summary, problems, mend: [] };
}

function byReason(features: readonly Feature[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, status } of features) {
    if (status === "supported") continue;
    const words = { unsupported: "not in this kernel", refused: "refused", unknown: "could not be found out" }[status];
    groups.set(words, [...(groups.get(words) ?? []), name]);
  }
  return groups;
}

/** The mends of whatever stands in the way of loading anything at all. */
function mends(findings: Findings, feature: Feature | undefined): string[] {
  const held = heldCapabilities(findings.environment);
  const facts = findings.facts.filter(({ verdict, mend }) => verdict === "bad" && mend !== undefined);
  const steps = facts.map(({ mend }) => mend as string);
  if (steps.length === 0 && feature?.mend !== undefined) steps.push(feature.mend);
  if (steps.length === 0 && held !== undefined) {
    steps.push("No capability is missing: look at lockdown, security modules and seccomp below.");
  }
  return steps;
}

function firstLine(error: Error): string {
  return error.message.split("\n", 1)[0] as string;
}
