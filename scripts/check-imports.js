#!/usr/bin/env node
// Imports run only downward (docs/architecture.md). Reads every import of src/ and fails on one that goes up or across,
// names one room's inner file from another room, or uses Node in a room that must run anywhere.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const src = resolve(fileURLToPath(new URL("../src", import.meta.url)));

/** For each room, the rooms it may import from besides itself. */
const ALLOWED = {
  "object/asm": [],
  "object/btf": [],
  "object/elf": [],
  "object/verifier": [],
  "object/codec": ["object/asm", "object/btf", "object/elf"],
  "object/spec": ["object/asm", "object/btf", "object/elf", "object/codec"],
  "language/kernel": ["object/*"],
  "language/compiler": ["object/*", "language/kernel"],
  "language/interp": ["object/*", "language/kernel"],
  "runtime/sys": ["object/*"],
  "runtime/map": ["object/*", "runtime/sys"],
  "runtime/link": ["object/*", "runtime/sys", "runtime/map"],
  "runtime/event": ["object/*", "runtime/sys", "runtime/map"],
  "runtime/load": ["object/*", "runtime/sys", "runtime/map", "runtime/link", "runtime/event"],
  sdk: ["object/*", "language/*", "runtime/*"],
  "machine/proc": [],
  "machine/symbol": ["machine/proc"],
  tools: ["sdk", "language/kernel", "language/compiler", "machine/*"],
  "app/agent": ["sdk", "machine/*", "tools"],
  "app/cli": ["sdk", "machine/*", "tools", "app/agent"],
};
/** Rooms that touch no kernel, file or clock: bytes in, values out. */
const PURE = /^(object|language)\//;

function roomOf(file) {
  const path = relative(src, file).split("/");
  const two = path.slice(0, 2).join("/");
  return two in ALLOWED ? two : path[0] in ALLOWED ? path[0] : undefined;
}

function* files(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* files(join(dir, entry.name));
    else if (/\.ts$/.test(entry.name)) yield join(dir, entry.name);
  }
}

const problems = [];
for (const file of files(src)) {
  const room = roomOf(file);
  const where = relative(src, file);
  if (room === undefined) {
    problems.push(`${where} is in no known room: add the room to ALLOWED in scripts/check-imports.js`);
    continue;
  }
  const test = file.endsWith(".test.ts");
  for (const [, target] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
    if (!target.startsWith(".")) {
      if (!test && PURE.test(`${room}/`) && target.startsWith("node:"))
        problems.push(`${where} uses ${target}: ${room} must run anywhere`);
      continue;
    }
    const to = resolve(dirname(file), target);
    const other = roomOf(to);
    if (other === room) continue;
    const allowed = ALLOWED[room].some((a) => a === other || (a.endsWith("/*") && other?.startsWith(a.slice(0, -1))));
    if (!allowed && !test) problems.push(`${where} imports ${target}: ${room} may not import from ${other ?? "there"}`);
    else if (!test && !/\/index\.ts$/.test(to) && other !== "tools")
      problems.push(`${where} imports ${target}: use the room's index.ts`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
