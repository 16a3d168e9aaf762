// Node with a worker thread, children with pipes and IPC, promises of files, a watcher.
const { Worker, isMainThread } = require("node:worker_threads");
const { spawn, execFileSync } = require("node:child_process");
const fs = require("node:fs");

if (isMainThread) {
  new Worker(__filename);
  execFileSync("true");
  const child = spawn("sh", ["-c", "cat; exit 3"], { stdio: ["pipe", "pipe", "inherit", "ipc"] });
  child.stdin.end("text");
  fs.promises.writeFile("made", "a".repeat(100000)).then(() => fs.promises.cp("made", "copied"));
  fs.watch(".").close();
} else {
  fs.writeFileSync("by-worker", "x");
  fs.renameSync("by-worker", "renamed");
  fs.rmSync("renamed");
}
