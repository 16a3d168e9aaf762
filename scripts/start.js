#!/usr/bin/env node
// `npm start`: the first look. Traces a small real command, so that people see what Skep does before they read about it;
// with arguments it is the command `skep` itself: npm start -- trace -c -- ls.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const skep = fileURLToPath(new URL("../bin/skep.js", import.meta.url));
const run = (args, env = process.env) => {
  const { status, signal } = spawnSync(process.execPath, [skep, ...args], { stdio: "inherit", env });
  return status ?? (signal === "SIGINT" ? 130 : 1);
};

const args = process.argv.slice(2);
if (args.length > 0) process.exit(run(args));

console.log("skep trace -C -- cat /etc/os-release      what cat asks of the kernel, as it happens:\n");
// The plain locale: a dozen calls that read translations would only be noise here.
const code = run(["trace", "-C", "--", "cat", "/etc/os-release"], { ...process.env, LC_ALL: "C" });
if (code !== 0) {
  console.log("\nThat did not work. What this machine can do, and how to mend what is missing:  npx skep doctor");
  process.exit(code);
}
console.log(`
Try next:
  npx skep trace -- ls -l                  every system call, with paths, flags and errors
  npx skep trace -c -- git status          which calls cost the time, at a fraction of strace's price
  npx skep trace -e %file --failed -- npm ls    files that were looked for in vain
  npx skep trace -e %net -p PID            what a running process does on the network
  npx skep doctor                          what works on this machine, and why not`);
