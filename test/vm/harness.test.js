// The virtual machines themselves: what a run prints and returns, how it ends, and that it leaves nothing behind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { machineSources, ownSources } from "./apt.js";
import { kernel } from "./fetch.js";
import { home, treeFolder } from "./home.js";
import { runInVm } from "./machine.js";
import { mountPoints, mountsFor } from "./mounts.js";

const cli = fileURLToPath(new URL("cli.js", import.meta.url));
const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const { NODE_EXTRA_CA_CERTS: _, NODE_TEST_CONTEXT: __, ...environment } = process.env;
const scratch = mkdtempSync(join(tmpdir(), "skep-harness-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
let runs = 0;

/**
 * Runs the command line to its end with a folder for temporary files of its own, and checks that nothing is left: its
 * processes carry the folder's name in their arguments.
 */
async function vm(
  args,
  { command = [process.execPath, cli], cwd = checkout, detached = false, input = "", started } = {},
) {
  const folder = join(scratch, `run${++runs}`);
  mkdirSync(folder);
  const [file, ...rest] = command;
  // The cache's place must not depend on the folder for temporary files.
  const env = { ...environment, TMPDIR: folder, SKEP_VM_HOME: home };
  const child = spawn(file, [...rest, ...args], { stdio: ["pipe", "pipe", "pipe"], detached, env, cwd });
  const stdout = [];
  let stderr = "";
  child.stdout.on("data", (chunk) => stdout.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}); // it may end before it has read all
  child.stdin.end(input);
  started?.(child);
  const [code, signal] = await new Promise((resolve) => child.on("close", (...status) => resolve(status)));
  await assertNothingLeft(folder);
  const bytes = Buffer.concat(stdout);
  return { code, signal, bytes, stdout: bytes.toString(), stderr, folder };
}

async function assertNothingLeft(folder, { files = true } = {}) {
  // A killed process is there until its parent has been told.
  for (let tries = 0; tries < 50 && processesNaming(folder).length > 0; tries++) await sleep(20);
  assert.deepEqual(processesNaming(folder), [], "processes are left");
  if (files) assert.deepEqual(readdirSync(folder), [], "files are left");
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(treeFolder), "a mount is left");
}

function processesNaming(folder) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ");
      } catch {
        return ""; // it ended meanwhile
      }
    })
    .filter((line) => line.includes(`${folder}/`));
}

const shell = (script) => ["--", "sh", "-c", script];
const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");

describe("virtual machines", {
  concurrency: availableParallelism(),
  skip: process.getuid() === 0 ? false : "needs root",
}, () => {
  test("a command's output, streams, folder and exit code are its own", async () => {
    const script = `console.log(process.version, process.cwd(), process.env.SKEP_VM); console.error("to stderr"); process.exit(3)`;
    const { code, stdout, stderr } = await vm(["6.12", "--", process.execPath, "-e", script]);
    assert.equal(stdout, `${process.version} ${checkout} 1\n`);
    assert.equal(stderr, "to stderr\n");
    assert.equal(code, 3);
  });

  test("arguments arrive as they are, output byte for byte", async () => {
    const words = ["two words", `quo'te"s`, "$HOME", "", "*", "new\nline", "ü"];
    const print = `process.stdout.write(JSON.stringify(process.argv.slice(1)))`;
    const { code, stdout } = await vm(["6.1", "--", process.execPath, "-e", print, ...words]);
    assert.deepEqual(JSON.parse(stdout), words);
    assert.equal(code, 0);
    const file = join(scratch, "random");
    const random = Buffer.from(Array.from({ length: 1 << 20 }, () => Math.floor(Math.random() * 256)));
    writeFileSync(file, random);
    assert.equal(md5((await vm(["6.1", "--", "cat", file])).bytes), md5(random));
  });

  test("false ends with 1, a program that is not there with 127", async () => {
    assert.deepEqual(pick(await vm(["6.12", "--", "false"])), { code: 1, signal: null, stdout: "", stderr: "" });
    const { code, stderr } = await vm(["6.12", "--", "no-such-program"]);
    assert.equal(code, 127);
    assert.match(stderr, /no-such-program/);
  });

  test("a command that a signal killed is told from one that exits with the same number", async () => {
    const killed = await vm(["6.12", ...shell("echo a word >/dev/kmsg; kill -9 $$")]);
    assert.equal(killed.code, 137);
    assert.match(killed.stderr, /the command was killed by SIGKILL \(signal 9\)/);
    assert.match(killed.stderr, /console .*:\n(.*\n)*.* a word\n/);
    const exited = await vm(["6.12", ...shell("exit 137")]);
    assert.deepEqual(pick(exited), { code: 137, signal: null, stdout: "", stderr: "" });
  });

  test("a kernel panic is reported as one, with the console's tail", async () => {
    const { code, stdout, stderr } = await vm([
      "6.12",
      ...shell("echo before; sleep 1; echo c >/proc/sysrq-trigger; echo after"),
    ]);
    assert.equal(code, 125);
    assert.equal(stdout, "before\n");
    assert.match(stderr, /the kernel panicked: sysrq triggered crash/);
    assert.match(stderr, /Call Trace:|entry_SYSCALL_64_after_hwframe/);
  });

  test("a command that does not end is ended, and what it printed is kept", async () => {
    const { code, stdout, stderr } = await vm(["--time-out", "2", "6.12", ...shell("echo begun; sleep 1000")]);
    assert.equal(code, 124);
    assert.equal(stdout, "begun\n");
    assert.match(stderr, /still running after 2 s/);
  });

  test("a process left in the background does not hold the run up", async () => {
    const { code, stdout } = await vm(["6.12", ...shell("sleep 1000 & echo done")]);
    assert.equal(code, 0);
    assert.equal(stdout, "done\n");
  });

  test("when nobody reads on, the run ends", async () => {
    const { code } = await vm(["6.12", "--", "yes"], {
      started: ({ stdout }) => stdout.once("data", () => stdout.destroy()),
    });
    assert.equal(code, 141);
  });

  test("what BPF needs is mounted, and what the guest writes stays there", async () => {
    const own = join(scratch, "own");
    writeFileSync(own, "ours");
    const { code, stdout, stderr } = await vm([
      "5.10",
      ...shell(
        `cat /proc/mounts; echo theirs >${own} && cat ${own}; rm -rf /usr/share/doc ${checkout}/package.json; ls /boot; uname -r; lsmod | head -n 1; ip link add a0 type veth peer name a1 && ip link add bridge0 type bridge; cat /proc/1/comm`,
      ),
    ]);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    for (const line of [
      / \/sys\/fs\/bpf bpf /,
      / \/sys\/fs\/cgroup cgroup2 /,
      / \/sys\/kernel\/tracing tracefs /,
      / \/sys\/kernel\/debug debugfs /,
      / \/sys\/kernel\/security securityfs /,
      / \/ overlay /,
      /^theirs$/m,
      /^config-5\.10\./m,
    ]) {
      assert.match(stdout, line);
    }
    assert.equal(readFileSync(own, "utf8"), "ours");
    assert.ok(existsSync(join(checkout, "package.json")));
  });

  test("lanes: full preemption, CPUs that are possible and not online; kernel arguments; a scratch disk", async () => {
    const { stdout } = await vm([
      "--kernel-arg",
      "lsm=lockdown,yama,bpf",
      "--disk",
      "6.12+preempt+maxcpus",
      ...shell(`
        cat /sys/devices/system/cpu/possible /sys/devices/system/cpu/online /sys/kernel/debug/sched/preempt
        cat /sys/kernel/security/lsm; echo
        findmnt -no FSTYPE "$SKEP_VM_DISK" && echo x >"$SKEP_VM_DISK/file" && cat "$SKEP_VM_DISK/file"`),
    ]);
    const [possible, online, preempt, lsm, disk, file] = stdout.split("\n");
    assert.equal(possible, "0-3");
    assert.equal(online, "0");
    assert.match(preempt, /\(full\)/);
    assert.match(lsm, /lockdown,.*bpf/);
    assert.equal(disk, "ext4");
    assert.equal(file, "x");
  });

  test("a shell has a terminal of its own", async () => {
    const { code, stdout } = await vm(["--shell", "6.12"], { input: "tty; test -t 0 && stty size; exit 7\n" });
    assert.match(stdout, /^\/dev\/hvc0\r?$/m);
    assert.match(stdout, /^24 80\r?$/m);
    assert.equal(code, 7);
  });

  test("two kernels at once share no port and no file", async () => {
    // Each binds the same port and writes the same file, says so, and ends only when the other is there too.
    const script = (file) => `
      require("node:net").createServer().listen(8080, "127.0.0.1", () => {
        require("node:fs").writeFileSync("/tmp/skep-same-name", process.argv[1]);
        console.log("up");
        setInterval(() => {}, 1000);
        setTimeout(() => { console.log(require("node:fs").readFileSync("/tmp/skep-same-name", "utf8")); process.exit(); }, ${file});
      });`;
    let both;
    const bothUp = new Promise((resolve) => {
      both = resolve;
    });
    let up = 0;
    const run = (kernel) => {
      let text = "";
      const stdout = new Writable({
        write(chunk, _encoding, done) {
          text += chunk;
          if (text === "up\n" && ++up === 2) both();
          done();
        },
      });
      const command = [process.execPath, "-e", script(15_000), kernel];
      return runInVm({ kernel, command, stdout, env: environment }).then((ending) => ({ ending, text }));
    };
    const running = Promise.all([run("5.10"), run("6.12")]);
    await Promise.race([bothUp, running]);
    assert.equal(up, 2, "both were up at the same time");
    for (const { ending, text } of await running) {
      const series = ending.release.split(".").slice(0, 2).join(".");
      assert.equal(text, `up\n${series}\n`);
      assert.equal(ending.kind, "exit");
    }
  });

  test("the checkout and node_modules may lie on other mounts than /", async () => {
    const place = join(scratch, "place with a blank");
    mkdirSync(place);
    const script = `mount --bind "$1" "$2" && mount -t tmpfs none "$2/node_modules" && echo seen >"$2/node_modules/mark" &&
      cd "$2" && shift 2 && exec "$@"`;
    const { code, stdout, stderr } = await vm(
      ["6.12", "--", "sh", "-c", "pwd; cat node_modules/mark; ls package.json"],
      {
        command: ["unshare", "--mount", "sh", "-c", script, "sh", checkout, place, process.execPath, "test/vm/cli.js"],
      },
    );
    assert.equal(stderr, "");
    assert.equal(stdout, `${place}\nseen\npackage.json\n`);
    assert.equal(code, 0);
  });

  test("what cannot be done is said in a sentence", async () => {
    const sentence = async (...args) => {
      const { code, stderr } = await vm(args);
      assert.equal(code, 125);
      assert.doesNotMatch(stderr, /^ {4}at /m);
      return stderr;
    };
    assert.match(await sentence("6.12+tea", "--", "true"), /no lane tea .*there are preempt, maxcpus/);
    assert.match(await sentence("--tea", "6.12", "--", "true"), /--tea/);
    assert.match(await sentence("--cpus", "none", "6.12", "--", "true"), /--cpus takes a positive whole number/);
    assert.match(await sentence("6.12"), /No command/);
    assert.match(await sentence("1.0", "--", "true"), /no cloud kernel 1\.0 .*there are .*6\.12/s);
  });

  test("a kernel that somebody built boots as `own`, and where there is none it says so", async () => {
    const { folder, release } = await kernel("6.12");
    const own = { SKEP_VM_KERNEL: join(folder, "vmlinux"), SKEP_VM_MODULES: join(folder, "lib", "modules", release) };
    const here = ["env", ...Object.entries(own).map(([name, value]) => `${name}=${value}`), process.execPath, cli];
    const { code, stdout, stderr } = await vm(["own", "--", "uname", "-r"], { command: here });
    assert.equal(stdout, `${release}\n`, stderr);
    assert.equal(code, 0);
    const nowhere = ["env", "SKEP_VM_MODULES=/nowhere/1.2.3", process.execPath, cli];
    const missing = await vm(["own", "--", "true"], { command: nowhere });
    assert.match(
      missing.stderr,
      /The image of this machine's own kernel \(1\.2\.3\) is in none of \/boot\/vmlinuz-1\.2\.3/,
    );
    assert.equal(missing.code, 125);
    for (const name of readdirSync(join(home, "kernels"))) {
      if (name.startsWith(`own-${release}-`)) rmSync(join(home, "kernels", name), { recursive: true });
    }
  });

  test("without root it says why it needs root", async () => {
    const { code, stderr } = await vm(["6.12", "--", "true"], {
      command: [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        process.execPath,
        "-e",
        `process.argv.splice(1, 0, "x"); import(${JSON.stringify(cli)})`,
      ],
    });
    assert.match(stderr, /needs root|EACCES|Cannot find module/);
    assert.notEqual(code, 0);
  });
});

describe("a run that is killed leaves nothing", {
  concurrency: 2,
  skip: process.getuid() === 0 ? false : "needs root",
}, () => {
  // A whole run takes three to five seconds: the moments lie all over it.
  for (let i = 0; i < 20; i++) {
    const moment = i * 200;
    const whole = i % 2 === 0;
    test(`SIGINT to ${whole ? "all of its processes, as Ctrl-C does" : "it alone"}, after ${moment} ms`, async () => {
      const { code, signal } = await vm(["6.12", ...shell("node -e 1; sleep 1000")], {
        detached: true,
        started: async (child) => {
          await sleep(moment);
          process.kill(whole ? -child.pid : child.pid, "SIGINT");
        },
      });
      // Before its handlers are there the signal itself ends the process.
      assert.ok(code === 130 || signal === "SIGINT", `${code} ${signal}`);
    });
  }

  test("SIGINT to npm run", async () => {
    const { code, signal } = await vm(["6.12", ...shell("sleep 1000")], {
      command: ["npm", "run", "--silent", "vm", "--"],
      detached: true,
      started: async (child) => {
        await sleep(2000);
        process.kill(-child.pid, "SIGINT");
      },
    });
    assert.ok(code === 130 || signal === "SIGINT", `${code} ${signal}`);
  });

  test("SIGKILL: the kernel ends its processes, the next run removes its folder", async () => {
    const folder = join(scratch, "killed");
    mkdirSync(folder);
    const env = { ...environment, TMPDIR: folder, SKEP_VM_HOME: home };
    const run = (command) =>
      spawn(process.execPath, [cli, "6.12", ...shell(command)], { stdio: "ignore", env, cwd: checkout });
    const first = run("sleep 1000");
    const ended = new Promise((resolve) => first.on("close", resolve));
    while (processesNaming(folder).length < 2) await sleep(50);
    first.kill("SIGKILL");
    await ended;
    await assertNothingLeft(folder, { files: false });
    assert.equal(readdirSync(folder).length, 1);
    await new Promise((resolve) => run("true").on("close", resolve));
    await assertNothingLeft(folder);
  });
});

describe("where things come from", () => {
  test("apt's sources are read in both forms", () => {
    const main = "http://mirror.example/debian";
    const security = "http://mirror.example/debian-security";
    const forms = {
      "sources.list": `deb ${main} trixie main contrib\ndeb-src ${main} trixie main\ndeb [arch=amd64] ${security} trixie-security main\n`,
      "sources.list.d/debian.sources": `Types: deb deb-src\nURIs: ${main}\nSuites: trixie trixie-updates\nComponents: main\n\nTypes: deb\nURIs: ${security}\nSuites: trixie-security\nComponents: main\n`,
    };
    for (const [name, text] of Object.entries(forms)) {
      const folder = mkdtempSync(join(scratch, "etc-"));
      mkdirSync(join(folder, "sources.list.d"));
      writeFileSync(join(folder, name), text);
      const options = ["-o", `Dir::Etc=${folder}`, "-o", `Dir::State::lists=${folder}`];
      const own = ownSources(machineSources(options)).split("\n");
      const has = (words) => own.some((line) => words.every((word) => line.split(/ +/).includes(word)));
      assert.ok(has([`${main}/`, "trixie", "main"]), name);
      assert.ok(has([`${main}/`, "trixie-backports", "main"]), name);
      assert.ok(has([`${security}/`, "bullseye-security", "main"]), name);
      assert.ok(has([`${security}/`, "bookworm-security", "main"]), name);
    }
  });

  test("a machine whose apt knows no Debian is told so", () => {
    assert.throws(
      () => ownSources([{ uri: "http://x.example/", suite: "noble", component: "main" }]),
      /no mirror of Debian/,
    );
  });

  test("the mounts that are served are those that hold or lie below what is needed", () => {
    const line = (path, type) => `1 2 8:1 / ${path} rw - ${type} none rw`;
    const mounts = mountPoints(
      [
        line("/", "ext4"),
        line("/proc", "proc"),
        line("/src\\040code", "ext4"),
        line("/src\\040code/a/node_modules", "tmpfs"),
        line("/src\\040code/b", "ext4"),
        line("/other", "ext4"),
        line("/src\\040code/a/root/sys", "sysfs"),
        line("/src\\040code/a/root/sys/fs/cgroup", "tmpfs"),
      ].join("\n"),
    );
    assert.deepEqual(mountsFor(["/src code/a/test"], mounts), ["/src code"]);
    assert.deepEqual(mountsFor(["/src code/a"], mounts), ["/src code", "/src code/a/node_modules"]);
    assert.deepEqual(mountsFor(["/home"], mounts), []);
    // What is wanted itself is served wherever it stands.
    const wanted = "/src code/a/root/sys/fs/cgroup";
    assert.deepEqual(mountsFor([`${wanted}/x`], mounts), ["/src code", wanted]);
  });
});

const pick = ({ code, signal, stdout, stderr }) => ({ code, signal, stdout, stderr });
