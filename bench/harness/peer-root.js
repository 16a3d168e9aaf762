// A peer's world: a Debian suite in a folder of its own, made with debootstrap, so that both columns are the packages
// their makers ship and the machine itself stays as it is.
import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";

/** The two columns of peers. `suite` is what the mirror calls it, `script` debootstrap's recipe for it. */
export const SUITES = {
  debian12: { title: "Debian 12", suite: "bookworm", script: "bookworm" },
  newest: { title: "newest", suite: "sid", script: "sid" },
};

const PACKAGES = ["gcc", "libc6-dev", "libbpf-dev", "golang-go", "golang-github-cilium-ebpf-dev", "bpftrace", "strace"];
/** Shown with every table. */
const SHOWN = { libbpf: "libbpf-dev", gcc: "gcc", go: "golang-go", cilium: "golang-github-cilium-ebpf-dev" };
const TOOLS = { bpftrace: "bpftrace", strace: "strace" };

/** Why a column is missing, in words for the table. */
export class PeerMissing extends Error {}

/**
 * The Debian mirror this machine itself uses, from its apt sources (or SKEP_BENCH_MIRROR).
 * @returns {string}
 */
function mirror() {
  const given = process.env["SKEP_BENCH_MIRROR"];
  if (given) return given;
  const { stdout, status } = spawnSync(
    "apt-get",
    ["indextargets", "--format", "$(ORIGIN)|$(SITE)", "Created-By: Packages"],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new PeerMissing("this machine has no apt-get, with which the peers are fetched");
  // Security and backports are archives of their own, without the suites wanted here.
  const sites = [...stdout.matchAll(/^Debian\|(\S+)$/gm)].map(([, site]) => site);
  const site = sites.find((s) => !/security|backports/.test(s));
  if (site === undefined) {
    throw new PeerMissing(
      "this machine's apt sources name no Debian mirror (run apt-get update, or set SKEP_BENCH_MIRROR to one)",
    );
  }
  return site;
}

/** debootstrap, the machine's own or unpacked beside the roots: a handful of shell scripts. */
function debootstrap(cache) {
  if (spawnSync("debootstrap", ["--version"]).status === 0) return { command: "debootstrap", env: {} };
  const dir = join(cache, "debootstrap");
  const command = join(dir, "usr/sbin/debootstrap");
  if (!existsSync(command)) {
    mkdirSync(dir, { recursive: true });
    must("apt-get", ["download", "debootstrap"], { cwd: dir }, "fetch debootstrap");
    must("sh", ["-c", "dpkg-deb -x debootstrap_*.deb . && rm debootstrap_*.deb"], { cwd: dir }, "unpack debootstrap");
  }
  return { command, env: { DEBOOTSTRAP_DIR: join(dir, "usr/share/debootstrap") } };
}

function must(command, args, options, doing) {
  const { status, error, stderr, stdout } = spawnSync(command, args, { encoding: "utf8", ...options });
  if (status === 0) return stdout;
  const last = `${stdout ?? ""}\n${stderr ?? ""}`.trim().split("\n").slice(-3).join(" / ");
  throw new PeerMissing(`cannot ${doing}: ${error?.message ?? last}`);
}

/** Makes the root of a suite where it is not there yet. About a minute and 1 GB. */
function makeRoot(cache, { suite, script }, log) {
  const root = join(cache, "roots", suite);
  if (existsSync(join(root, ".complete"))) return root;
  if (process.getuid?.() !== 0) throw new PeerMissing("making its root needs root");
  const site = mirror();
  const work = `${root}.making`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  log(`fetching the peers of ${suite} (once, about a minute) …`);
  const { command, env } = debootstrap(cache);
  must(
    command,
    ["--variant=minbase", suite, work, site, script],
    { env: { ...process.env, ...env } },
    `make a root of ${suite}`,
  );
  copyFileSync("/etc/resolv.conf", join(work, "etc/resolv.conf"));
  // A mirror may be frozen at a date, whose lists of the newest suite then count as expired.
  const settings = ['APT::Install-Recommends "false";', 'Acquire::Check-Valid-Until "false";'];
  writeFileSync(join(work, "etc/apt/apt.conf.d/99bench"), `${settings.join("\n")}\n`);
  const inside = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C", PATH } };
  must("chroot", [work, "apt-get", "update", "-q"], inside, `read the package lists of ${suite}`);
  must("chroot", [work, "apt-get", "install", "-y", "-q", ...PACKAGES], inside, `install the peers of ${suite}`);
  must("chroot", [work, "apt-get", "clean"], inside, "clean up");
  writeFileSync(join(work, ".complete"), "");
  rmSync(root, { recursive: true, force: true });
  renameSync(work, root);
  return root;
}

const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The headers that C sources share. */
function headersBeside(source) {
  const folder = join(source, "..");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".h"))
    .map((file) => join(folder, file));
}

/** One column of peers: programs of one suite, and what is compiled against its libraries. */
export class Peer {
  /** @param {string} root @param {string} title */
  constructor(root, title) {
    this.root = root;
    this.title = title;
    /** @type {Record<string, string>} */
    this.versions = {};
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
    const format = ["-f", "${Package} ${Version}\n", "-W", ...Object.values({ ...SHOWN, ...TOOLS })];
    const lines = must("chroot", [root, "dpkg-query", ...format], { env: { PATH } }, "list the peers' versions");
    const found = new Map(lines.split("\n").map((line) => line.split(" ")));
    for (const [name, packageName] of Object.entries({ ...SHOWN, ...TOOLS })) {
      const version = found.get(packageName) ?? "?";
      this.versions[name] = version.replace(/^\d+:/, "").replace(/[-+~].*$/, "");
    }
  }

  /**
   * What to spawn to run a program of this root. Paths of the machine are not seen inside; `/bench` is the folder of
   * compiled peers, `/proc`, `/sys` and `/dev` are the machine's.
   * @param {string} program @param {string[]} args
   * @returns {[string, string[]]}
   */
  command(program, args = []) {
    return ["chroot", [this.root, program, ...args]];
  }

  /**
   * The same without entering the root: the root's own loader and libraries, the machine's file system. For tools that
   * start and watch a program of the machine, and where a chroot's own millisecond would count.
   * @param {string} program @param {string[]} args
   * @returns {[string, string[]]}
   */
  direct(program, args = []) {
    const multiarch = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
    const loader = process.arch === "arm64" ? "lib/ld-linux-aarch64.so.1" : "lib64/ld-linux-x86-64.so.2";
    const libraries = [`usr/lib/${multiarch}`, `lib/${multiarch}`].map((dir) => join(this.root, dir)).join(":");
    return [join(this.root, loader), ["--library-path", libraries, join(this.root, program), ...args]];
  }

  /** The environment programs of this root run in. */
  get env() {
    return { PATH, LC_ALL: "C", HOME: "/root" };
  }

  /**
   * Compiles a peer (`peers/c/x.c`, or a folder `peers/go/x`) with this root's compiler and libraries, unless the source
   * is what was compiled last. Returns its path inside. Go sources may ask for the build tag `prevkey`, set where
   * cilium/ebpf is older than its batch cursor.
   * @param {string} source
   */
  build(source) {
    const isC = source.endsWith(".c");
    const name = basename(source).replace(/\.c$/, "");
    const inside = `/bench/${isC ? "c" : "go"}-${name}`;
    const out = join(this.root, inside);
    const folder = join(this.root, "bench/src", isC ? "c" : name);
    const files = isC ? [...headersBeside(source), source] : readdirSync(source).map((file) => join(source, file));
    const text = files.map((file) => readFileSync(file, "utf8")).join("\0");
    const stamp = `${out}.source`;
    if (existsSync(out) && existsSync(stamp) && readFileSync(stamp, "utf8") === text) return inside;
    mkdirSync(folder, { recursive: true });
    for (const file of files) copyFileSync(file, join(folder, basename(file)));
    if (isC) {
      const args = ["-O2", "-Wall", "-o", inside, `/bench/src/c/${name}.c`, "-lbpf"];
      must(...this.command("gcc", args), { env: this.env }, `compile ${name}.c with ${this.title}'s libbpf`);
    } else {
      const go = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: "/bench/gocache", GOTOOLCHAIN: "local" };
      const tags = /^0\.[0-9]\./.test(this.versions.cilium) ? "prevkey" : "";
      const command = this.command("sh", ["-c", `cd /bench/src/${name} && go build -tags "${tags}" -o ${inside} .`]);
      must(...command, { env: { ...this.env, ...go } }, `compile ${name} with ${this.title}'s cilium/ebpf`);
    }
    writeFileSync(stamp, text);
    return inside;
  }

  /** @param {string} program @param {string[]} args @param {import("node:child_process").SpawnOptions} options */
  spawn(program, args, options) {
    return spawn(...this.command(program, args), { env: this.env, ...options });
  }
}

/**
 * The peers of one suite; throws PeerMissing with the reason when they cannot be had here.
 * @param {string} cache @param {keyof typeof SUITES} name @param {(line: string) => void} log
 */
export function openPeer(cache, name, log) {
  const what = SUITES[name];
  return new Peer(makeRoot(cache, what, log), what.title);
}

/**
 * Binds the machine's /proc, /sys and /dev into every root there is, tracefs included, without which some peers do not
 * work; only in a private mount namespace.
 */
export function bindMachine(cache) {
  if (!existsSync("/sys/kernel/tracing/events"))
    must("mount", ["-t", "tracefs", "nodev", "/sys/kernel/tracing"], {}, "mount tracefs");
  for (const { suite } of Object.values(SUITES)) {
    const root = join(cache, "roots", suite);
    if (!existsSync(join(root, ".complete"))) continue;
    for (const dir of ["/proc", "/sys", "/dev"])
      must("mount", ["--rbind", dir, join(root, dir)], {}, `bind ${dir} into ${root}`);
  }
}
