// Objects inside other programs: Debian's packages are fetched and unpacked, and the ELF images of eBPF (machine 247) in
// their executables are cut out.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const MAGIC = "\x7fELF\x02\x01\x01";
const MACHINE_BPF = 247;

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

/** Downloads a package into the cache and unpacks it there, once. */
function unpacked(name, cache) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const run = (command, ...args) => {
    const { status, stderr } = spawnSync(command, args, { cwd: cache, encoding: "utf8" });
    if (status !== 0) throw new Error(`corpus: ${command} ${args.join(" ")} failed: ${stderr.trim()}`);
  };
  run("apt-get", "download", "-qq", name);
  const deb = readdirSync(cache).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
  run("dpkg-deb", "-x", join(cache, deb), folder);
  return folder;
}

/** The eBPF objects in a file, which end with their section headers. */
export function* carve(bytes) {
  for (let at = bytes.indexOf(MAGIC, 0, "latin1"); at >= 0; at = bytes.indexOf(MAGIC, at + 1, "latin1")) {
    if (at + 64 > bytes.length || bytes.readUInt16LE(at + 18) !== MACHINE_BPF) continue;
    const headers = Number(bytes.readBigUInt64LE(at + 40));
    const end = headers + bytes.readUInt16LE(at + 58) * bytes.readUInt16LE(at + 60);
    yield bytes.subarray(at, at + end);
  }
}

/** Paths of all objects of these packages, cut out when they are not there yet. Two that are the same count once. */
export function objectsOf(packages, cache) {
  const folder = join(cache, "objects");
  mkdirSync(folder, { recursive: true });
  const seen = new Set();
  const paths = [];
  for (const name of packages) {
    for (const file of filesBelow(unpacked(name, cache))) {
      let number = 0;
      for (const object of carve(readFileSync(file))) {
        const text = object.toString("latin1");
        if (seen.has(text)) continue;
        seen.add(text);
        const path = join(folder, `${basename(file)}${number++ === 0 ? "" : `.${number}`}.bpf.o`);
        writeFileSync(path, object);
        paths.push(path);
      }
    }
  }
  return paths.sort();
}
