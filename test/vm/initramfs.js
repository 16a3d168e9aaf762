// The initramfs: a part that is the same for every run of a kernel (cached) and a part of this run's (the command).
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpio, foldersAbove } from "./cpio.js";

const guest = fileURLToPath(new URL("guest", import.meta.url));

const DAY = 24 * 3600 * 1000;

/** What the root needs; what is built into the kernel is not among its modules. */
const ROOT_MODULES = ["virtio_pci", "virtio_console", "virtiofs", "overlay"];

/** A module's file name says it with either sign. */
const moduleName = (path) => path.split("/").at(-1).replace(/\.ko$/, "").replaceAll("-", "_");

/** The lines of modules.dep that these modules need, by name. */
function moduleClosure(folder, release, names) {
  const dependencies = new Map();
  for (const line of readFileSync(join(folder, "lib", "modules", release, "modules.dep"), "utf8").split("\n")) {
    const [path, needed] = line.split(":");
    if (path !== "") dependencies.set(path, needed.trim().split(" ").filter(Boolean));
  }
  const wanted = [...dependencies.keys()].filter((path) => names.includes(moduleName(path)));
  const files = [...new Set(wanted.flatMap((path) => [...dependencies.get(path), path]))];
  return {
    names: wanted.map(moduleName),
    files,
    lines: wanted.map((path) => `${path}: ${dependencies.get(path).join(" ")}`),
  };
}

/** The cached part, and the names of the modules to load. */
export function basePart({ folder, release }, busybox) {
  const modules = moduleClosure(folder, release, ROOT_MODULES);
  const init = readFileSync(join(guest, "init.sh"));
  const run = readFileSync(join(guest, "run.sh"));
  const program = readFileSync(busybox);
  const key = createHash("sha256");
  const makers = ["initramfs.js", "cpio.js"].map((name) => readFileSync(new URL(name, import.meta.url)));
  for (const part of [...makers, init, run, program, modules.lines.join("\n")]) key.update(part);
  const name = `initramfs-${key.digest("hex").slice(0, 16)}.cpio`;
  const path = join(folder, name);
  if (existsSync(path)) return { bytes: readFileSync(path), modules: modules.names };

  const moduleFolder = `lib/modules/${release}`;
  const files = [
    { path: "init", data: init },
    { path: "bin/busybox", data: program },
    { path: `${moduleFolder}/modules.dep`, data: `${modules.lines.join("\n")}\n` },
    ...modules.files.map((file) => ({
      path: `${moduleFolder}/${file}`,
      data: readFileSync(join(folder, moduleFolder, file)),
    })),
    { path: "dev/console", type: "device", mode: 0o600, major: 5, minor: 1 },
    { path: "proc/.", type: "folder" },
    { path: "ov/.", type: "folder" },
    { path: "skep/.", type: "folder" },
    // What is copied into the new root as it is.
    { path: "new/run/skep-vm/busybox", data: program },
    { path: "new/run/skep-vm/run.sh", data: run },
    ...["modprobe", "insmod", "lsmod", "rmmod"].map((applet) => ({
      path: `new/run/skep-vm/bin/${applet}`,
      type: "link",
      data: "../busybox",
    })),
    { path: `new/boot/config-${release}`, type: "link", data: `/lib/modules/${release}/config` },
    ...["out", "err", "results"].map((stream) => ({ path: `new/run/skep-vm/${stream}`, type: "fifo", mode: 0o666 })),
    ...[
      ["fd", "/proc/self/fd"],
      ["stdin", "/proc/self/fd/0"],
      ["stdout", "/proc/self/fd/1"],
      ["stderr", "/proc/self/fd/2"],
    ].map(([link, to]) => ({ path: `new/dev/${link}`, type: "link", data: to })),
  ];
  const bytes = cpio([
    ...foldersAbove(files.map((file) => file.path)),
    ...files.filter((file) => !file.path.endsWith("/.")),
  ]);
  // Other checkouts may be using theirs.
  for (const old of readdirSync(folder)) {
    const file = join(folder, old);
    if (/^initramfs-/.test(old) && Date.now() - statSync(file).mtimeMs > DAY) rmSync(file, { force: true });
  }
  // Two runs may make it at once: each a file of its own, and the last name stays.
  writeFileSync(`${path}.${process.pid}`, bytes);
  renameSync(`${path}.${process.pid}`, path);
  return { bytes, modules: modules.names };
}

/** A word for the shell. */
export const quote = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/** A path for a line of fstab. */
const escaped = (path) => path.replace(/[ \t\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, "0")}`);

function fstab(...lines) {
  return `${lines.map(([what, where, type, options = "defaults"]) => `${escaped(what)} ${escaped(where)} ${type} ${options} 0 0`).join("\n")}\n`;
}

/** Variables that would slow the guest down or belong to this process alone. */
const NOT_PASSED = new Set([
  "NODE_EXTRA_CA_CERTS",
  "PWD",
  "OLDPWD",
  "SHLVL",
  "_",
  "NODE_CHANNEL_FD",
  "NODE_TEST_CONTEXT",
]);

/** The shell text that becomes the command. */
function commandText({ command, cwd, env, tty }) {
  const exports = Object.entries(env)
    .filter(([name, value]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !NOT_PASSED.has(name) && value !== undefined)
    .map(([name, value]) => `export ${name}=${quote(value)}`);
  return [
    ...exports,
    `cd ${quote(cwd)} || exit 127`,
    `exec $B time -o /run/skep-vm/status -f 'exit %x' $B setsid ${tty === undefined ? "" : "-c "}${command.map(quote).join(" ")}`,
    "",
  ].join("\n");
}

/** This run's part. `modules` and `release` of the kernel; `modulesFolder` as the host names it. */
export function runPart(run) {
  const { kernel, modules, command, cwd, env, tty, disk, results } = run;
  const path = [
    ...(env.PATH ?? "").split(":"),
    ..."/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/skep-vm/bin".split(":"),
  ].filter(Boolean);
  const conf = {
    MODULES: modules.join(" "),
    RELEASE: kernel.release,
    GUEST_PATH: [...new Set(path)].join(":"),
    TTY: tty === undefined ? "" : `rows ${tty.rows} cols ${tty.columns}`,
    DISK: disk ?? "",
    RESULTS: results ? "1" : "",
  };
  const confText = Object.entries(conf)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join("");
  const root = "/ov/root";
  const environment = { ...env, PATH: conf.GUEST_PATH };
  return cpio([
    { path: "skep/conf", data: confText },
    { path: "new/run/skep-vm/conf", data: confText },
    { path: "new/run/skep-vm/command", data: commandText({ command, cwd, env: environment, tty }) },
    {
      path: "skep/mounts.1",
      data: fstab(["proc", "/proc", "proc"], ["dev", "/dev", "devtmpfs"], ["ov", "/ov", "tmpfs", "mode=755"]),
    },
    {
      path: "skep/mounts.2",
      data: fstab(
        ["root", "/ov/host", "virtiofs", "ro"],
        ["root", root, "overlay", "lowerdir=/ov/host,upperdir=/ov/upper,workdir=/ov/work"],
      ),
    },
    {
      path: "skep/mounts.3",
      data: fstab(
        ["run", `${root}/run`, "tmpfs", "mode=755"],
        [
          `/ov/host${kernel.folder}/lib/modules/${kernel.release}`,
          `${root}/lib/modules/${kernel.release}`,
          "none",
          "bind",
        ],
        ["proc", `${root}/proc`, "proc"],
        ["dev", `${root}/dev`, "devtmpfs"],
        ["devpts", `${root}/dev/pts`, "devpts", "mode=620,ptmxmode=666"],
        ["shm", `${root}/dev/shm`, "tmpfs", "mode=1777"],
        ["sys", `${root}/sys`, "sysfs"],
        ["bpf", `${root}/sys/fs/bpf`, "bpf"],
        ["cgroup2", `${root}/sys/fs/cgroup`, "cgroup2"],
        ["tracefs", `${root}/sys/kernel/tracing`, "tracefs"],
        ["debugfs", `${root}/sys/kernel/debug`, "debugfs"],
        ["securityfs", `${root}/sys/kernel/security`, "securityfs"],
      ),
    },
  ]);
}
