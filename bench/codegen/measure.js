// Loads both programs of each entry into the kernel it runs on, counts, watches some work with both and compares what they
// collected. Prints one line of JSON.  node measure.js TWINS.json [NAME …]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { attachPerfEvent } from "../../dist/sdk/index.js";
import { compileOurs } from "./ours.js";
import { PROGRAMS } from "./programs.js";
import { placeOf, readTwin, Side } from "./side.js";

/** @type {{ objects: Record<string, string>, work: string, kinds?: string[] }} */
const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const only = process.argv.slice(3);
const FILE = "/tmp/skep-bench-file";

/** How much two numbers that time goes into may differ: both are asked one after the other. */
const NEAR = 1.5;

/** Our programs and those of C that are at the same place, in their order. */
function pairs(ours, theirs, kinds) {
  const places = (spec) => {
    const found = new Map();
    for (const [name, { section }] of Object.entries(spec.programs)) {
      const place = placeOf(section);
      if (kinds !== undefined && !kinds.includes(place.split("/")[0])) continue;
      found.set(place, [...(found.get(place) ?? []), name]);
    }
    return found;
  };
  const [own, other] = [places(ours), places(theirs)];
  const result = [];
  for (const [place, names] of own) {
    const twins = other.get(place) ?? [];
    if (twins.length !== names.length)
      throw new Error(`C has ${twins.length} programs at ${place}, not ${names.length}`);
    for (const [i, name] of names.entries()) result.push({ place, ours: name, theirs: twins[i] });
  }
  const absent = [...other.keys()].filter((place) => !own.has(place));
  return { result, absent };
}

/** Numbers of instructions with the parameters' defaults. */
function count(ours, theirs, pairing) {
  const numbers = (spec, key) => {
    const side = new Side(spec, { programs: pairing.map((pair) => pair[key]) });
    try {
      return pairing.map((pair) => [side.instructions[pair[key]], side.verified(pair[key])]);
    } finally {
      side.close();
    }
  };
  const [a, b] = [numbers(ours, "ours"), numbers(theirs, "theirs")];
  return pairing.map(({ place }, i) => ({ place, ours: a[i], theirs: b[i] }));
}

function perfEvents(pairing, key) {
  const programs = {};
  for (const pair of pairing) {
    if (pair.place !== "perf_event") continue;
    // Each CPU has one of each; the machine that this runs in has one.
    programs[pair[key]] = (program) => attachPerfEvent(program, { event: "cpuClock", period: 1_000_000, cpu: 0 });
  }
  return { programs };
}

async function compare(entry, ours, theirs, pairing) {
  if (entry.exact === undefined || given.work === undefined) return undefined;
  const sides = [];
  const argument = { files: FILE, blocks: device() }[entry.work];
  if (entry.work === "blocks" && argument === undefined) return { skipped: "no block device to read from" };
  const child = entry.work && spawn(given.work, argument === undefined ? [entry.work] : [entry.work, argument]);
  let complaints = "";
  child?.stderr.on("data", (chunk) => (complaints += chunk));
  try {
    for (const [key, spec] of Object.entries({ ours, theirs })) {
      const side = new Side(spec, {
        programs: pairing.map((pair) => pair[key]),
        variables: { ...entry.params, ...(entry.pid !== undefined && { [entry.pid]: child.pid }) },
        names: key === "ours" ? entry.names : {},
      });
      sides.push([key, side]);
      entry.prepare?.(side, child.pid);
    }
    if (child) {
      for (const [key, side] of sides) side.attach(perfEvents(pairing, key));
      child.stdin.end("\n");
      const [code] = await once(child, "exit");
      if (code !== 0) throw new Error(`work ${entry.work} ended with ${code}: ${complaints}`);
      // In the other order, so that what both saw last is the same.
      for (const [, side] of sides.reverse()) side.detach();
    }
    for (const [key, side] of sides)
      for (const [place, value] of entry.runs ?? []) side.run(pairing.find((pair) => pair.place === place)[key], value);
    const of = Object.fromEntries(sides);
    const names = Object.keys(theirs.maps).filter((name) => !name.startsWith("."));
    const seen = { maps: shapesOf(of, names), ...outputs(entry, of) };
    return seen;
  } finally {
    child?.stdin.end();
    for (const [, side] of sides) side.close();
  }
}

function shapesOf({ ours, theirs }, names) {
  const [a, b] = [ours.shapes(names), theirs.shapes(names)];
  return isDeepStrictEqual(a, b) ? { same: names.length } : { ours: a, theirs: b };
}

function outputs(entry, { ours, theirs }) {
  const sorted = (side) =>
    entry
      .exact(side)
      .map((row) => JSON.stringify(row))
      .sort();
  const [a, b] = [sorted(ours), sorted(theirs)];
  const result = isDeepStrictEqual(a, b) ? { same: a.length } : { ours: a, theirs: b };
  const [x, y] = [entry.near?.(ours) ?? {}, entry.near?.(theirs) ?? {}];
  const far = Object.keys(x).filter((key) => Math.max(x[key], y[key]) > NEAR * Math.min(x[key], y[key]) + 1000);
  return { output: result, near: { ours: x, theirs: y, far } };
}

/** A disk that may be read from: the machine's own, only in a virtual one. */
function device() {
  const mount = process.env["SKEP_VM_DISK"];
  if (mount === undefined) return undefined;
  const line = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .find((one) => one.split(" ")[1] === mount);
  return line?.split(" ")[0];
}

const results = {};
for (const entry of PROGRAMS) {
  if (only.length > 0 && !only.includes(entry.name)) continue;
  try {
    const theirs = readTwin(given.objects[entry.name]);
    const ours = compileOurs(entry.name);
    const { result: pairing, absent } = pairs(ours, theirs, given.kinds);
    if (pairing.length === 0) continue;
    const programs = count(ours, theirs, pairing);
    results[entry.name] = { programs, absent };
    results[entry.name].seen = await compare(entry, ours, theirs, pairing);
  } catch (error) {
    results[entry.name] = { ...results[entry.name], failed: `${error.code ?? error.name}: ${error.message}` };
    if (process.env["SKEP_BENCH_VERBOSE"]) console.error(error);
  }
}
if (existsSync(FILE)) writeFileSync(FILE, "");
console.log(JSON.stringify(results));
