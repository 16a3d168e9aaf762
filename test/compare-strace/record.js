// One program under both at once: Skep traces strace and what it starts, strace traces the program.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { joinMovedExecs, parseSkepLine, parseSkepObject, parseStraceLine } from "./lines.js";

const SECONDS = 60;

/**
 * @typedef {object} Recording
 * @property {Map<number, any[]>} strace events by thread
 * @property {Map<number, any[]>} skep events by thread, without strace's own
 * @property {string} losses what Skep says it lost; "" when nothing
 */

/**
 * @param {object} options
 * @param {string} options.skep path of bin/skep.js
 * @param {string} options.strace path of strace
 * @param {readonly string[]} options.command
 * @param {string} options.folder an empty folder for the traces
 * @param {string} options.cwd
 * @param {"text" | "json"} options.form
 * @returns {Promise<Recording>}
 */
export async function record({ skep, strace, command, folder, cwd, form }) {
  mkdirSync(folder);
  const skepFile = join(folder, "skep");
  const under = [strace, "-ff", "-n", "-yy", "-s", "4096", "-o", join(folder, "strace"), "--", ...command];
  const args = [
    skep,
    "trace",
    ...(form === "json" ? ["--json"] : []),
    "-o",
    skepFile,
    "--buffer",
    "256M",
    "--",
    ...under,
  ];
  const { stderr } = await run(process.execPath, args, cwd);
  const straceEvents = new Map();
  for (const name of readdirSync(folder)) {
    const tid = /^strace\.(\d+)$/.exec(name)?.[1];
    if (tid === undefined) continue;
    const lines = readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line !== "");
    straceEvents.set(
      Number(tid),
      lines.map(parseStraceLine).filter((event) => event !== undefined),
    );
  }
  joinMovedExecs(straceEvents);
  const text = readFileSync(skepFile, "utf8").trimEnd().split("\n");
  const all = form === "json" ? byThreadJson(text) : byThreadText(text);
  const losses = form === "json" ? jsonLosses(text.at(-1)) : textLosses(stderr);
  if (straceEvents.size === 0) throw new Error(`strace wrote nothing. ${stderr.trim()}`);
  return { strace: straceEvents, skep: withoutStrace(all, straceEvents), losses };
}

/** Runs it in a process group of its own: when it does not end, all of it is ended. */
function run(file, args, cwd) {
  return new Promise((resolve, reject) => {
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    const stdio = ["ignore", "ignore", "pipe"];
    const child = spawn(file, args, { cwd, env: { ...env, LC_ALL: "C" }, stdio, detached: true });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const timer = setTimeout(() => {
      process.kill(-child.pid, "SIGKILL");
      reject(new Error(`It did not end within ${SECONDS} seconds: ${args.slice(-3).join(" ")}\n${stderr}`));
    }, SECONDS * 1000);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stderr });
    });
  });
}

function byThreadText(lines) {
  const threads = new Map();
  for (const line of lines) {
    const match = /^(\d+) +(.*)$/s.exec(line);
    if (match === null) throw new Error(`Not a line of skep trace: ${line}`);
    add(threads, Number(match[1]), parseSkepLine(match[2]));
  }
  return threads;
}

function byThreadJson(lines) {
  const threads = new Map();
  for (const line of lines) {
    const object = JSON.parse(line);
    if (object.tid !== undefined) add(threads, object.tid, parseSkepObject(object));
  }
  return threads;
}

function add(threads, tid, event) {
  if (event === undefined) return;
  const events = threads.get(tid);
  if (events === undefined) threads.set(tid, [event]);
  else events.push(event);
}

const jsonLosses = (line) =>
  Object.entries(JSON.parse(line).lost)
    .filter(([, count]) => count !== 0)
    .map(([cause, count]) => `${count} ${cause}`)
    .join(", ");
const textLosses = (stderr) =>
  /; nothing lost$/m.test(stderr) ? "" : (/^skep: .*$/m.exec(stderr)?.[0] ?? "no summary");

/**
 * Takes strace's own calls out: those of its process, and of the children that it made itself. The program itself begins as
 * such a child; its calls count from the exec that strace shows first.
 */
function withoutStrace(threads, straceEvents) {
  const [own] = threads.keys();
  const made = new Set([own]);
  for (const event of threads.get(own)) {
    if (event.kind === "call" && /^(clone3?|v?fork)$/.test(event.name)) made.add(Number(event.result.value ?? 0n));
  }
  const rest = new Map();
  for (const [tid, events] of threads) {
    if (!made.has(tid)) rest.set(tid, events);
    else if (straceEvents.has(tid)) rest.set(tid, events.slice(events.findIndex(({ name }) => name === "execve")));
  }
  return rest;
}
