#!/usr/bin/env node
// npm run bench -- NAME [PART …] [--rounds N]: measures Skep beside its peers (bench/README.md).
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Bench } from "./harness/bench.js";
import { machineFacts } from "./harness/machine.js";
import { bindMachine } from "./harness/peer-root.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const cache = process.env["SKEP_BENCH_CACHE"] ?? join(here, "../.cache/bench");
/** Set in the private mount namespace. */
const INSIDE = "SKEP_BENCH_INSIDE";

const names = readdirSync(here)
  .filter((file) => file.endsWith(".js") && file !== "run.js")
  .map((file) => file.slice(0, -3));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, help: { type: "boolean", short: "h" } },
});
const [name, ...only] = positionals;
if (values.help || name === undefined || !names.includes(name)) {
  console.log(`npm run bench -- NAME [PART …] [--rounds N], where NAME is one of: ${names.join(", ")}`);
  process.exit(values.help ? 0 : 2);
}

// It costs Node 20 some 36 ms at every start, which is none of Skep's business.
delete process.env["NODE_EXTRA_CA_CERTS"];

if (process.env[INSIDE] === undefined) {
  const { status } = spawnSync(process.execPath, [join(here, "../scripts/build.js")], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  const { peers = [] } = await import(`./${name}.js`);
  const session = newSession();
  for (const peer of peers) session.peer(peer);
  process.exit(await inside());
}

raisePriority();
if (existsSync(cache)) bindMachine(cache);
const { default: bench, peers = [] } = await import(`./${name}.js`);
const session = newSession();
for (const peer of peers) session.peer(peer);
const machine = machineFacts();
console.log(`${machine.date}  Linux ${machine.kernel}, ${machine.cpu}, ${machine.memory}, Node ${machine.node}`);
console.log(`load ${machine.load.join(" ")}`);
for (const line of session.describePeers()) console.log(line);
await bench(session);
const { file, failures } = session.finish(name, machine);
console.log(`raw numbers: ${file}`);
process.exit(failures === 0 ? 0 : 1);

/**
 * Runs itself again, in a mount namespace of its own, so that what is mounted for the peers is seen by this run alone and
 * goes with it, and in a session of its own, which has a share of the processors of its own.
 */
async function inside() {
  const args = ["--mount", "--propagation", "private", process.execPath, ...process.argv.slice(1)];
  const env = { ...process.env, [INSIDE]: "1" };
  const child = spawn("unshare", args, { stdio: "inherit", env, detached: true });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => process.kill(-Number(child.pid), signal));
  const [code] = await once(child, "exit");
  return code ?? 1;
}

/** For all columns alike: what else runs on this machine shall wait for them. */
function raisePriority() {
  try {
    setPriority(-19);
    // Where the kernel shares processors out by session, this is the session's priority.
    if (existsSync("/proc/self/autogroup")) writeFileSync("/proc/self/autogroup", "-19");
  } catch {
    console.log("without the right to raise its priority this run is at the mercy of what else the machine does");
  }
}

function newSession() {
  const rounds = values.rounds === undefined ? {} : { rounds: Number(values.rounds) };
  return new Bench({ cache, only, log: console.log, ...rounds });
}
