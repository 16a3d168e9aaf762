// apt with a state folder of its own: it reads the machine's mirror and proxies, and changes nothing of the machine's.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home, VmError } from "./home.js";
import { KERNELS, NEWEST } from "./kernels.js";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const folder = join(home, "apt");
const sources = join(folder, "sources.list");
const updated = join(folder, "updated");
const WEEK = 7 * 24 * 3600 * 1000;

function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
    env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
  });
  if (result.error !== undefined) {
    throw new VmError(`${command} could not be started (${result.error.message}): virtual machines need Debian's apt.`);
  }
  return result;
}

/** Every package source of this machine, whichever form it is written in: apt itself reads them. */
export function machineSources(aptOptions = []) {
  const { stdout } = run("apt-get", [
    ...aptOptions,
    "indextargets",
    // Without the lists: on a new machine there are none yet.
    "--no-release-info",
    "--format",
    "$(REPO_URI) $(RELEASE) $(COMPONENT)",
    "Created-By: Packages",
  ]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [uri, suite, component] = line.split(" ");
      return { uri, suite, component };
    });
}

const DEBIAN_SUITE =
  /^(stable|oldstable|oldoldstable|testing|bullseye|bookworm|trixie|forky|duke|sid)(-updates|-backports)?$/;
const SECURITY_SUITE = /^[a-z]+(-security|\/updates)$/;

/** The sources.list of our own: the machine's Debian suites, and those that have the kernels, at the same mirrors. */
export function ownSources(machine) {
  const mirrors = {
    main: machine.find(({ suite, component }) => DEBIAN_SUITE.test(suite) && component === "main")?.uri,
    security: machine.find(({ suite, component }) => SECURITY_SUITE.test(suite) && component === "main")?.uri,
  };
  if (mirrors.main === undefined) {
    throw new VmError(
      "This machine's apt sources name no mirror of Debian, where the kernels come from. Add one (main, any release) to /etc/apt.",
    );
  }
  const line = (uri, suite) => `deb [arch=amd64 signed-by=${KEYRING}] ${uri} ${suite} main`;
  const own = machine
    .filter(({ suite, component }) => component === "main" && (DEBIAN_SUITE.test(suite) || SECURITY_SUITE.test(suite)))
    .map(({ uri, suite }) => line(uri, suite));
  const kernels = [...KERNELS, NEWEST]
    .filter(({ archive }) => mirrors[archive] !== undefined)
    .map(({ archive, suite }) => line(mirrors[archive], suite));
  return `${[...new Set([...own, ...kernels])].join("\n")}\n`;
}

const options = () =>
  [
    ["Dir::State::lists", join(folder, "lists")],
    ["Dir::Cache", join(folder, "cache")],
    ["Dir::Etc::sourcelist", sources],
    ["Dir::Etc::sourceparts", "-"],
    ["APT::Sandbox::User", "root"],
    ["Acquire::Languages", "none"],
    // The lock of ours is held; dpkg's would be in the way of nothing but other people's installations.
    ["Debug::NoLocking", "1"],
  ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);

/** Reads the package lists anew when they are older than a week or `force` is given. */
export function update(force = false) {
  const age = existsSync(updated) ? Date.now() - statSync(updated).mtimeMs : Number.POSITIVE_INFINITY;
  const wanted = ownSources(machineSources());
  const changed = !existsSync(sources) || readFileSync(sources, "utf8") !== wanted;
  if (!force && !changed && age < WEEK) return;
  for (const name of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(sources, wanted);
  console.error("vm: reading the package lists of Debian");
  const { status, stderr } = run("apt-get", [...options(), "-qq", "update"]);
  const lists = readdirSync(join(folder, "lists")).filter((name) => name.includes("_Packages"));
  if (lists.length === 0) {
    throw new VmError(
      `apt-get could not read the package lists (exit ${status}). Is the mirror reachable?\n${stderr.trim()}`,
    );
  }
  if (stderr.trim() !== "") console.error(stderr.trim());
  writeFileSync(updated, "");
  utimesSync(updated, new Date(), new Date());
}

/** All packages whose name begins so. */
export function packageNames(prefix) {
  const { stdout } = run("apt-cache", [...options(), "pkgnames", prefix]);
  return stdout.split("\n").filter((name) => name !== "");
}

/** Downloads packages into a folder. Returns what apt said when it could not, else undefined. */
export function download(packages, into) {
  mkdirSync(into, { recursive: true });
  const { status, stderr } = run("apt-get", [...options(), "-qq", "download", ...packages], { cwd: into });
  return status === 0 ? undefined : stderr.trim();
}

/** Downloads packages and everything they need that is not installed. Returns the paths of the .deb files. */
export function downloadWithDependencies(packages) {
  const archives = join(folder, "cache", "archives");
  rmSync(archives, { recursive: true, force: true });
  mkdirSync(join(archives, "partial"), { recursive: true });
  const { status, stderr } = run("apt-get", [
    ...options(),
    "-qq",
    "-y",
    "--no-install-recommends",
    "--download-only",
    "install",
    ...packages,
  ]);
  if (status !== 0) throw new VmError(`apt-get could not fetch ${packages.join(", ")}:\n${stderr.trim()}`);
  return readdirSync(archives)
    .filter((name) => name.endsWith(".deb"))
    .map((name) => join(archives, name));
}

export function unpack(deb, into) {
  const { status, stderr } = run("dpkg-deb", ["-x", deb, into]);
  if (status !== 0) throw new VmError(`dpkg-deb could not unpack ${deb}:\n${stderr.trim()}`);
}
