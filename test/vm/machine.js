// One run of one command in one throw-away virtual machine.
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { accelerators, kvmFailed } from "./accelerator.js";
import { kernel as fetchedKernel } from "./fetch.js";
import { home, toolsFolder, treeFolder, VmError } from "./home.js";
import { basePart, quote, runPart } from "./initramfs.js";
import { parseMachine } from "./kernels.js";
import { mountsFor } from "./mounts.js";
import { runTool, toolEnvironment, tools } from "./tools.js";

export const checkout = realpathSync(fileURLToPath(new URL("../..", import.meta.url)));

/** How long output is waited for once the command has ended: a process left behind may still hold the streams. */
const GRACE_MS = 1500;
/** How long a machine may take to start the command before it is taken for broken: two seconds are usual. */
const BOOT_PATIENCE_MS = 180_000;
const KVM_PATIENCE_MS = 20_000;
const CONSOLE_KEPT = 1 << 17;
const DISK_BYTES = 2 ** 30;
/** Where the scratch disk is mounted in the guest. */
export const DISK_FOLDER = "/mnt/skep-disk";

const live = new Set();
process.on("exit", () => {
  for (const run of live) run.killNow();
});

/**
 * @typedef {{
 *   kernel: string,                    a series, `newest`, or with lanes: `6.12+preempt`
 *   command: string[],
 *   cwd?: string, env?: NodeJS.ProcessEnv,
 *   memory?: number,                   MiB (1024)
 *   cpus?: number, maxCpus?: number,   online; possible
 *   nodes?: number,                    of memory (NUMA); the first has the CPUs
 *   kernelArguments?: string[],
 *   timeout?: number,                  seconds for the command (300)
 *   disk?: boolean,                    an empty file system of 1 GiB at $SKEP_VM_DISK
 *   tty?: { rows: number, columns: number, input: import("node:stream").Readable },
 *   stdout?: import("node:stream").Writable, stderr?: import("node:stream").Writable,
 *   onConsole?: (text: string) => void,
 *   onResults?: (text: string) => void, what is written to $SKEP_VM_RESULTS in the guest
 *   signal?: AbortSignal,
 * }} RunOptions
 *
 * @typedef {(
 *   | { kind: "exit", code: number }
 *   | { kind: "signal", number: number, name: string }
 *   | { kind: "panic", message: string }
 *   | { kind: "timeout", seconds: number }
 *   | { kind: "broken", message: string }
 *   | { kind: "aborted" }
 * ) & { console: string, release: string }} Ending
 */

/** Runs it and tells how it ended. Throws VmError when no machine can be made here. @param {RunOptions} options @returns {Promise<Ending>} */
export async function runInVm(options) {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new VmError("Virtual machines are made on Linux x86-64 only so far.");
  }
  if (process.getuid() !== 0) {
    throw new VmError("A virtual machine needs root: this machine's files are mounted read-only for the guest.");
  }
  const machine = parseMachine(options.kernel);
  const programs = await tools({ signal: options.signal });
  const kernel = await fetchedKernel(machine.kernel, options.signal);
  kernel.folder = realpathSync(kernel.folder);
  sweep();
  for (const accelerator of accelerators(programs)) {
    options.signal?.throwIfAborted();
    const ending = await new Run(options, machine, programs, kernel, accelerator).end();
    if (accelerator.name !== "kvm" || ending.kind !== "broken") return { ...ending, release: kernel.release };
    kvmFailed();
  }
  throw new VmError("No way to run a machine is left.");
}

/** Folders of runs that were killed so hard that they could not tidy up. */
function sweep() {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = /^skep-vm-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

const signalName = (number) =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;

class Run {
  #children = [];
  #folder;
  #console = "";
  #ended;
  #done = withResolvers();
  #timer;
  #lastOutput = 0;

  constructor(options, machine, programs, kernel, accelerator) {
    this.options = options;
    this.machine = machine;
    this.programs = programs;
    this.kernel = kernel;
    this.accelerator = accelerator;
  }

  async end() {
    live.add(this);
    try {
      this.#folder = mkdtempSync(join(tmpdir(), `skep-vm-${process.pid}-`));
      this.options.signal?.addEventListener("abort", this.#abort);
      return await this.#run();
    } finally {
      this.options.signal?.removeEventListener("abort", this.#abort);
      await this.#tidy();
      live.delete(this);
    }
  }

  /** Leaves nothing running, without waiting. */
  killNow() {
    for (const { child } of this.#children) child.kill("SIGKILL");
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #abort = () => this.#finish({ kind: "aborted" });

  #finish(ending) {
    this.#ended ??= ending;
    this.#done.resolve();
  }

  async #tidy() {
    for (const { child } of this.#children) child.kill("SIGKILL");
    await Promise.all(this.#children.map(({ exited }) => exited));
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Starts a process that dies with this one, whatever ends it, and that the terminal's Ctrl-C does not reach. */
  #spawn(path, args, stdio) {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", path, ...args], {
      stdio,
      detached: true,
      env: toolEnvironment(this.programs["qemu-system-x86_64"]),
    });
    const exited = new Promise((resolve) => {
      child.on("error", (error) => resolve({ error }));
      child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    this.#children.push({ child, exited });
    return { child, exited };
  }

  async #run() {
    const { options, machine, kernel, programs } = this;
    const env = options.env ?? process.env;
    const base = basePart(kernel, programs.busybox);
    const socket = join(this.#folder, "tree.sock");
    const server = this.#serveTree(socket);
    const initramfs = join(this.#folder, "initramfs");
    const part = runPart({
      kernel,
      modules: base.modules,
      command: options.command,
      cwd: options.cwd ?? process.cwd(),
      env: {
        ...env,
        SKEP_VM: "1",
        SKEP_VM_KERNEL: machine.name,
        ...(options.disk && { SKEP_VM_DISK: DISK_FOLDER }),
        ...(options.onResults !== undefined && { SKEP_VM_RESULTS: "/run/skep-vm/results" }),
      },
      tty: options.tty,
      disk: options.disk ? DISK_FOLDER : undefined,
      results: options.onResults !== undefined,
    });
    writeFileSync(initramfs, Buffer.concat([base.bytes, part]));
    await this.#socketOf(server, socket);
    if (this.#ended === undefined) await this.#boot(initramfs, socket);
    return { ...this.#ended, console: this.#console };
  }

  /** virtiofsd over a read-only bind mount of this machine's tree, in a mount namespace of its own, which ends with it. */
  #serveTree(socket) {
    mkdirSync(treeFolder, { recursive: true });
    const { command, cwd = process.cwd() } = this.options;
    const seen = [cwd, checkout, join(checkout, "node_modules"), process.execPath, home, toolsFolder, ...command]
      .filter((path) => path.startsWith("/") && existsSync(path))
      .map((path) => realpathSync(path));
    const binds = ["", ...mountsFor(seen)]
      .map((mount) => [quote(mount || "/"), quote(`${treeFolder}${mount}`)])
      .map(([from, to]) => `mount --bind ${from} ${to} && mount -o remount,bind,ro ${to}`);
    const daemon = this.programs.virtiofsd;
    const isOldDaemon = daemon.includes("/lib/qemu/");
    const args = isOldDaemon
      ? `-o source=${treeFolder} -o cache=always -o sandbox=chroot --rlimit-nofile=0`
      : `--shared-dir=${treeFolder} --cache=always --sandbox=chroot --rlimit-nofile=0`;
    const script = `${binds.join(" && ")} && exec ${quote(daemon)} --socket-path=${quote(socket)} ${args}`;
    const server = this.#spawn("unshare", ["--mount", "sh", "-c", script], ["ignore", "pipe", "pipe"]);
    server.log = "";
    for (const stream of [server.child.stdout, server.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        server.log = (server.log + text).slice(-4096);
      });
    }
    return server;
  }

  async #socketOf(server, socket) {
    let failed;
    server.exited.then((status) => {
      failed = status;
    });
    while (!existsSync(socket) && failed === undefined && this.#ended === undefined) await sleep(5);
    if (failed !== undefined && this.#ended === undefined) {
      throw new VmError(
        `The guest cannot be given this machine's files: ${failed.error?.message ?? `virtiofsd or mount ended with ${failed.code ?? failed.signal}`}.\n${server.log.trim()}`,
      );
    }
  }

  async #boot(initramfs, socket) {
    const { options, accelerator } = this;
    const streams = ["out", "err", "control", "console"];
    if (options.onResults !== undefined) streams.push("results");
    if (options.tty !== undefined) streams.push("tty");
    const args = this.#qemuArguments(initramfs, socket, streams);
    const qemu = this.#spawn(this.programs["qemu-system-x86_64"], args, [
      "ignore",
      "ignore",
      "pipe",
      ...streams.map(() => "pipe"),
    ]);
    let log = "";
    qemu.child.stderr.setEncoding("utf8").on("data", (text) => {
      log = (log + text).slice(-4096);
    });
    const port = Object.fromEntries(streams.map((name, i) => [name, qemu.child.stdio[i + 3]]));
    for (const stream of Object.values(port)) stream.on("error", () => {}); // QEMU's end is gone
    this.#copy(port.out, options.stdout);
    this.#copy(port.err, options.stderr);
    this.#lines(port.control, (line) => this.#control(line));
    this.#text(port.console, (text) => {
      this.#console = (this.#console + text).slice(-CONSOLE_KEPT);
      options.onConsole?.(text);
    });
    if (port.results !== undefined) this.#text(port.results, (text) => options.onResults(text));
    if (port.tty !== undefined) {
      this.#copy(port.tty, options.stdout);
      options.tty.input.pipe(port.tty, { end: false });
      // A terminal's way to say that no more comes; it is heard only while somebody reads.
      options.tty.input.once("end", () => {
        setInterval(() => port.tty.write("\x04"), 500).unref();
      });
    }

    const patience = accelerator.name === "kvm" ? KVM_PATIENCE_MS : BOOT_PATIENCE_MS;
    this.#timer = setTimeout(() => this.#finish({ kind: "broken", message: "The guest does not come up." }), patience);
    const exited = qemu.exited.then(({ error, code, signal }) => {
      if (this.#ended !== undefined) return;
      const panic = /Kernel panic - not syncing: (.*)/.exec(this.#console)?.[1];
      if (panic !== undefined) this.#ended = { kind: "panic", message: panic.trim() };
      else {
        const said = /skep-vm: (.*)/.exec(this.#console)?.[1]?.trim();
        const how = error?.message ?? (code === 0 ? "it powered off" : `QEMU ended with ${code ?? signal}`);
        const message = `${said ?? `The machine ended before the command did (${how}).`}${log === "" ? "" : `\n${log.trim()}`}`;
        this.#ended = { kind: "broken", message };
      }
    });
    await Promise.race([exited, this.#done.promise]);
    clearTimeout(this.#timer);
    if (options.tty !== undefined) options.tty.input.unpipe(port.tty);
    qemu.child.kill("SIGKILL");
    await qemu.exited;
    await Promise.all(Object.values(port).map((stream) => this.#drained(stream)));
    await exited;
  }

  #qemuArguments(initramfs, socket, streams) {
    const { options, machine, kernel, accelerator } = this;
    const { memory = 1024, cpus = 1, maxCpus = machine.maxCpus, nodes = 1 } = options;
    const chardev = (name) => `socket,id=${name},fd=${streams.indexOf(name) + 3}`;
    const append = [
      "console=ttyS0",
      "quiet",
      // The machine ends at once when the kernel finds a fault in itself.
      "panic=-1",
      "oops=panic",
      // Page-table isolation makes every system call 20 times slower on some emulated CPUs.
      "mitigations=off",
      // Emulated timers fail their test at boot when the host is busy.
      "no_timer_check",
      "nowatchdog",
      // Hot-pluggable CPUs that the firmware tells of are not counted by every kernel; those not started are.
      ...(maxCpus === undefined ? [] : [`maxcpus=${cpus}`]),
      ...machine.kernelArguments,
      ...(options.kernelArguments ?? []),
    ];
    const args = [
      ["-name", `skep-vm-${process.pid}`],
      ["-machine", nodes === 1 ? "q35,memory-backend=mem0" : "q35"],
      ["-accel", accelerator.arguments],
      ["-cpu", "max"],
      ["-smp", `${maxCpus ?? cpus}`],
      ["-m", `${memory}`],
      ...memoryArguments(memory, nodes, maxCpus ?? cpus),
      ["-nodefaults"],
      ["-no-user-config"],
      ["-display", "none"],
      ["-no-reboot"],
      ["-chardev", `socket,id=tree,path=${socket}`],
      ["-device", "vhost-user-fs-pci,chardev=tree,tag=root"],
      ["-device", "virtio-serial-pci"],
      ["-chardev", chardev("console")],
      ["-serial", "chardev:console"],
      ["-kernel", join(kernel.folder, "vmlinux")],
      ["-initrd", initramfs],
      ["-append", append.join(" ")],
    ];
    for (const [nr, name] of [
      [1, "out"],
      [2, "err"],
      [3, "control"],
      [4, "results"],
    ]) {
      if (!streams.includes(name)) continue;
      args.push(["-chardev", chardev(name)], ["-device", `virtserialport,chardev=${name},nr=${nr}`]);
    }
    if (streams.includes("tty")) args.push(["-chardev", chardev("tty")], ["-device", "virtconsole,chardev=tty,nr=0"]);
    if (options.disk) {
      const disk = this.#makeDisk();
      args.push(
        ["-drive", `file=${disk},format=raw,if=none,id=disk,cache=unsafe`],
        ["-device", "virtio-blk-pci,drive=disk"],
      );
    }
    return args.flat();
  }

  #makeDisk() {
    const disk = join(this.#folder, "disk");
    writeFileSync(disk, "");
    truncateSync(disk, DISK_BYTES);
    runTool("mke2fs", ["-q", "-t", "ext4", "-E", "lazy_itable_init=1", disk]);
    return disk;
  }

  #control(line) {
    const [word, kind, number] = line.split(" ");
    if (word === "start") {
      clearTimeout(this.#timer);
      const seconds = this.options.timeout ?? 300;
      this.#timer = setTimeout(() => this.#finish({ kind: "timeout", seconds }), seconds * 1000);
    } else if (word === "done") this.#done.resolve();
    else if (word === "end") {
      const value = Number(number);
      this.#ended ??=
        kind === "signal" ? { kind, number: value, name: signalName(value) } : { kind: "exit", code: value };
      this.#waitForQuiet(Date.now());
    }
  }

  /** After the command: until its streams are closed (`done`), or nothing more comes from those who still hold them. */
  async #waitForQuiet(since) {
    for (;;) {
      const quiet = Date.now() - Math.max(since, this.#lastOutput);
      if (quiet >= GRACE_MS || Date.now() - since > 10 * GRACE_MS) break;
      await sleep(GRACE_MS - quiet, undefined, { ref: false });
    }
    this.#done.resolve();
  }

  #copy(from, to) {
    from.on("data", (chunk) => {
      this.#lastOutput = Date.now();
      if (to === undefined || to.destroyed) return;
      // A slow reader slows the guest down; nothing piles up here.
      if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
  }

  #text(from, take) {
    const decoder = new StringDecoder("utf8");
    from.on("data", (chunk) => take(decoder.write(chunk)));
  }

  #lines(from, take) {
    let rest = "";
    this.#text(from, (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) take(line);
    });
  }

  #drained(stream) {
    return new Promise((resolve) => {
      if (stream.closed || stream.destroyed) resolve();
      else stream.once("close", resolve);
    });
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** The guest's memory, which virtiofsd reads and writes, too; in equal parts for nodes, of which the first has the CPUs. */
function memoryArguments(memory, nodes, cpus) {
  const size = Math.floor(memory / nodes);
  return Array.from({ length: nodes }, (_, i) => [
    ["-object", `memory-backend-memfd,id=mem${i},size=${size}M,share=on`],
    ...(nodes === 1 ? [] : [["-numa", `node,nodeid=${i},memdev=mem${i}${i === 0 ? `,cpus=0-${cpus - 1}` : ""}`]]),
  ]).flat();
}
