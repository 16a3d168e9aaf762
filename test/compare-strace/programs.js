// The real programs that both tools watch: each gives a command, run in a folder of its own.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const fixtures = join(here, "..", "fixtures");

const has = (command) => {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** Compiles a C program into the folder. */
function compile(folder, source) {
  const out = join(folder, source.replace(/.*\//, "").replace(/\.c$/, ""));
  if (!existsSync(out)) execFileSync(process.env.CC ?? "cc", ["-O1", "-w", "-pthread", "-o", out, source]);
  return out;
}

/** @typedef {{ name: string, needs?: string[], command: (folder: string) => string[] | Promise<{ command: string[], close: () => void }> }} Program */

/** @type {Program[]} */
export const PROGRAMS = [
  { name: "ls -lR", command: () => ["ls", "-lR", "/etc"] },
  {
    name: "git log",
    needs: ["git"],
    command: (folder) => {
      const git = (...args) =>
        execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: folder });
      git("init", "-q");
      for (const text of ["one", "two", "three"]) {
        writeFileSync(join(folder, "file"), text);
        git("add", "file");
        git("commit", "-q", "-m", text);
      }
      return ["git", "log", "--stat"];
    },
  },
  {
    name: "node server and client",
    command: (folder) => {
      writeFileSync(
        join(folder, "both.js"),
        `const http = require("node:http");
         const server = http.createServer((_, res) => res.end("x".repeat(5000))).listen(0, "127.0.0.1", () => {
           let left = 5;
           const next = () => left-- === 0 ? server.close() : http.get({ port: server.address().port, agent: false }, (res) => res.resume().on("end", next));
           next();
         });`,
      );
      return [process.execPath, "both.js"];
    },
  },
  {
    name: "gcc",
    needs: ["gcc"],
    command: (folder) => {
      writeFileSync(join(folder, "hello.c"), '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n');
      return ["gcc", "-o", "hello", "hello.c"];
    },
  },
  {
    name: "python3",
    needs: ["python3"],
    command: () => [
      "python3",
      "-c",
      "import json, os, tempfile; f = tempfile.TemporaryFile(); f.write(json.dumps(os.listdir('/')).encode()); f.flush()",
    ],
  },
  {
    name: "tar",
    needs: ["tar"],
    command: (folder) => {
      mkdirSync(join(folder, "tree/a/b"), { recursive: true });
      for (let i = 0; i < 40; i++) writeFileSync(join(folder, `tree/a/b/file ${i} ä`), "x".repeat(i * 100));
      return ["sh", "-c", "tar cf tree.tar tree && mkdir out && tar xf tree.tar -C out && rm -r out"];
    },
  },
  {
    name: "curl on loopback",
    needs: ["curl"],
    command: async () => {
      const server = createServer((_, response) => response.end("hello\n".repeat(1000)));
      await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
      return {
        command: ["curl", "-s", "-o", "page", `http://127.0.0.1:${server.address().port}/`],
        close: () => server.close(),
      };
    },
  },
  { name: "4 threads", command: (folder) => [compile(folder, join(fixtures, "threads.c")), "4", "200"] },
  { name: "200 short children", command: (folder) => [compile(folder, join(fixtures, "children.c")), "200"] },
  { name: "killed by a signal", command: () => ["sh", "-c", "sleep 5 & kill -TERM $!; wait $!; kill -SEGV $$"] },
  {
    name: "another pid namespace",
    needs: ["unshare"],
    command: () => ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", "ls /proc | head -3; cat /etc/hostname"],
  },
  { name: "io_uring", command: (folder) => [compile(folder, join(here, "programs/uring.c"))] },
  {
    name: "a pipeline",
    command: () => [
      "sh",
      "-c",
      "ls /etc | sort -r | head -n 5 | wc -l; cat /nonexistent; cd /usr && ls lib >/dev/null",
    ],
  },
  {
    name: "bash and its redirections",
    needs: ["bash"],
    command: () => [
      "bash",
      "-c",
      `exec 3<>both 4>>log; echo one >&3; read -r line <<<"here"; cat <<END >doc
a document of $line
END
diff <(sort doc) <(sort both); mkdir -p a/b && cd a/b && cd - >/dev/null; trap 'echo caught >&4' USR1; kill -USR1 $$;
(cd a; : >b/"new file"; exec 3>&-; ls -l /proc/self/fd >/dev/null); coproc cat; echo x >&"\${COPROC[1]}"; read -r y <&"\${COPROC[0]}"; kill $COPROC_PID; wait`,
    ],
  },
  {
    name: "node: workers, children",
    command: (folder) => {
      writeFileSync(
        join(folder, "workers.js"),
        `const { Worker, isMainThread } = require("node:worker_threads");
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
         }`,
      );
      return [process.execPath, "workers.js"];
    },
  },
  { name: "files and descriptors", command: (folder) => [compile(folder, join(here, "programs/files.c"))] },
  { name: "arguments of many kinds", command: (folder) => [compile(folder, join(here, "programs/arguments.c"))] },
  { name: "waiting and signals", command: (folder) => [compile(folder, join(here, "programs/waits.c"))] },
  { name: "processes and exec", command: (folder) => [compile(folder, join(here, "programs/processes.c"))] },
].map((program) => ({ ...program, missing: program.needs?.filter((name) => !has(name)) ?? [] }));
