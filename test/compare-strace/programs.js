// The programs that both tools watch.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const source = (name) => join(here, "programs", name);

/** Why a program cannot run here. */
export class Absent extends Error {}

function path(command) {
  for (const folder of (process.env.PATH ?? "/usr/bin:/bin").split(":")) {
    try {
      execFileSync("test", ["-x", join(folder, command)]);
      return join(folder, command);
    } catch {
      // Not in this folder.
    }
  }
  throw new Absent(`${command} is not installed`);
}

/** Compiles a C program into the folder. */
function compiled(folder, file, flags = []) {
  const out = join(folder, `program-${/([\w-]+)\.c$/.exec(file)[1]}`);
  execFileSync(process.env.CC ?? "cc", ["-O1", "-w", "-pthread", ...flags, "-o", out, file]);
  return out;
}

/** A tree of files, links and folders to list and to pack. */
function tree(folder) {
  const base = join(folder, "tree");
  for (const name of ["a", "a/b", "a/b/c", "d", "ümlaut und leer"]) mkdirSync(join(base, name), { recursive: true });
  for (let i = 0; i < 40; i++)
    writeFileSync(join(base, ["a", "a/b", "d"][i % 3], `file-${i}.txt`), `${i}\n`.repeat(i * 20));
  execFileSync("ln", ["-s", "../a", join(base, "d/link")]);
  execFileSync("ln", ["-s", "nowhere", join(base, "dangling")]);
  return base;
}

function repository(folder) {
  const base = join(folder, "repository");
  mkdirSync(base);
  const git = (...args) => execFileSync("git", ["-C", base, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
  git("init", "-q");
  for (let i = 0; i < 8; i++) {
    writeFileSync(join(base, "file"), `line ${i}\n`.repeat(i + 1));
    git("add", "file");
    git("commit", "-q", "-m", `commit ${i}`);
  }
  return base;
}

/** A server outside of the trace, and how to end it. */
async function httpServer() {
  const server = createServer((_, answer) => answer.end("x".repeat(100_000)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  return { port: server.address().port, end: () => server.close() };
}

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {(folder: string) => readonly string[] | Promise<{ command: readonly string[], end?: () => void }>} prepare
 *   makes what it needs in the folder, and gives the command; throws Absent
 */

const c = (name, args = [], flags = []) => ({
  name: [name, ...args].join(" "),
  prepare: (folder) => [compiled(folder, source(`${name}.c`), flags), ...args],
});
const fixture = (name, ...args) => ({
  name: [name, ...args].join(" "),
  prepare: (folder) => [compiled(folder, join(root, "test", "fixtures", `${name}.c`)), ...args],
});
const shell = (name, script) => ({ name, prepare: () => ["sh", "-c", script] });

/** @type {readonly Program[]} */
export const PROGRAMS = [
  { name: "ls -lR", prepare: (folder) => [path("ls"), "-lR", tree(folder)] },
  { name: "git log", prepare: (folder) => [path("git"), "-C", repository(folder), "log", "--stat"] },
  {
    name: "git commit",
    prepare: (folder) => [
      "sh",
      "-c",
      `cd ${repository(folder)} && echo x > file && git -c user.name=a -c user.email=a@b commit -qam all && git gc -q`,
    ],
  },
  { name: "node server and client", prepare: () => [process.execPath, source("server-client.cjs")] },
  { name: "node with workers and children", prepare: () => [process.execPath, source("workers.cjs")] },
  { name: "bash with redirections", prepare: () => [path("bash"), source("redirections.sh")] },
  { name: "gcc", prepare: (folder) => [path("gcc"), "-O2", "-o", join(folder, "hello"), source("hello.c")] },
  { name: "python3", prepare: () => [path("python3"), source("walk.py")] },
  {
    name: "tar",
    prepare: (folder) => [
      ...["sh", "-c", 'tar -czf "$1" -C "$0" . && mkdir out && tar -xzf "$1" -C out && rm -r out'],
      ...[tree(folder), join(folder, "tree.tar.gz")],
    ],
  },
  {
    name: "curl on loopback",
    prepare: async () => {
      const { port, end } = await httpServer();
      return { command: [path("curl"), "-sS", "-o", "/dev/null", `http://127.0.0.1:${port}/`], end };
    },
  },
  c("threads"),
  fixture("children", "200"),
  fixture("execs", "5"),
  shell("killed by a signal", "sleep 30 & kill -TERM $!; wait $!; kill -SEGV $$"),
  c("killed"),
  shell(
    "another pid namespace",
    "exec unshare --pid --fork --mount-proc sh -c 'ls /proc | head -n 3; echo $$; sleep 0.01 & wait'",
  ),
  c("uring"),
  shell("pipeline", 'ls -l /etc | sort -r | head -n 5 | while read line; do echo "$line" | wc -c; done'),
  c("waiting"),
  c("signals"),
  c("failing"),
  c("descriptors"),
  c("files"),
  c("exec"),
  c("memory"),
  c("sockets"),
  c("times"),
  c("identity"),
  c("arguments"),
  c("open-files"),
  c("processes"),
  c("waits"),
  c("seccomp"),
  c("bits32", [], ["-m32", "-nostdlib", "-static", "-ffreestanding", "-fno-pic", "-no-pie", "-fno-stack-protector"]),
];
