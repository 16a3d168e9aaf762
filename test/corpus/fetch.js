// Objects in other people's packages: the ELF images of eBPF (machine 247) in their executables are cut out, and files that
// are objects are taken as they are.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cache, packageFolder } from "./packages.js";

const MAGIC = "\x7fELF\x02\x01\x01";
const MACHINE_BPF = 247;

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
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

/** Paths of all objects inside these packages' files, cut out. Two that are the same count once. */
export async function objectsInside(packages) {
  const folder = join(cache, "objects");
  mkdirSync(folder, { recursive: true });
  const seen = new Set();
  const paths = [];
  for (const name of packages) {
    for (const file of filesBelow(await packageFolder(name))) {
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

/** Files of a package by the end of their name. */
export async function filesOf(name, end) {
  const files = [...filesBelow(await packageFolder(name))].filter((path) => path.endsWith(end));
  return files.sort((a, b) => (a < b ? -1 : 1));
}
