#!/usr/bin/env node
// Adds to package-lock.json the optional platform packages that the registry does not offer. `npm install` leaves them
// out, and `npm ci` then refuses the lock as out of step with its own dependents. Run after each `npm install`;
// `--check` (used by lint) changes nothing and fails when something would change.
import { readFileSync, writeFileSync } from "node:fs";

const OS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const CPU = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "ppc64le", "riscv64", "s390x", "x64", "wasm32"];

/** The `os` and `cpu` fields a platform package has, read off its name (`@scope/tool-linux-x64-gnu`). */
export function platformOf(name) {
  const words = name.replace("ppc64", "ppc64").split(/[/-]/);
  const os = words.find((w) => OS.includes(w));
  const cpu = words.find((w) => CPU.includes(w));
  return { ...(cpu && { cpu: [cpu] }), ...(os && { os: [os] }) };
}

const file = new URL("../package-lock.json", import.meta.url);
const before = readFileSync(file, "utf8");
const lock = JSON.parse(before);
let added = 0;
for (const entry of Object.values({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] || !/^\d/.test(version)) continue;
    lock.packages[key] = { version, dev: true, optional: true, ...platformOf(name) };
    added++;
  }
}
const [root, ...rest] = Object.keys(lock.packages);
const sorted = [root, ...rest.sort((a, b) => a.localeCompare(b, "en"))];
lock.packages = Object.fromEntries(sorted.map((k) => [k, lock.packages[k]]));
const after = `${JSON.stringify(lock, null, 2)}\n`;
if (process.argv.includes("--check")) {
  if (added > 0) {
    console.error(`package-lock.json lacks ${added} optional platform packages: run node scripts/fix-lock.js`);
    process.exit(1);
  }
} else if (after !== before) {
  writeFileSync(file, after);
  console.log(`package-lock.json: ${added} optional platform packages added`);
}
