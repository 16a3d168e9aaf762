#!/usr/bin/env node
"use strict";
// The command. Each of its commands is a chunk, dist/cli/NAME.cjs, which is run from here with nothing between: every module
// and every line compiled costs time before the first event. Help and the words for errors are in dist/cli/main.cjs, which
// is loaded when they are needed.
const { readFileSync, statSync } = require("node:fs");
const { Script } = require("node:vm");

const cli = `${__dirname.slice(0, -"bin".length)}dist/cli`;

/** @param {string} path @param {BufferEncoding} [encoding] */
function read(path, encoding) {
  try {
    return readFileSync(path, encoding);
  } catch {
    return undefined;
  }
}

/**
 * `readKept` of src/sdk/kept-code.ts, where is said why: to load that as well would take a third of a millisecond at each start.
 * @param {string} file
 */
function readKept(file) {
  try {
    const code = statSync(cli);
    const kept = statSync(`${cli}/cache`);
    if (kept.uid !== code.uid || (kept.mode & ~code.mode & 0o022) !== 0) return undefined;
    const bytes = readFileSync(`${cli}/cache/${file}`);
    const half = (bytes.length - 1) / 2;
    const data = bytes.subarray(0, half);
    return half > 0 && data.equals(bytes.subarray(half, half * 2)) ? data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Compiling a chunk takes V8 longer than all the rest of the start, so the code it compiled is kept in dist/cli/cache after
 * the first run, as Python keeps its own in __pycache__: one file for each text and each V8, which V8 refuses when it does
 * not suit it. Where the folder cannot be written nothing is kept.
 * @param {string} name @param {string} text The chunk as a function expression; its hash stands before it in a comment.
 */
function load(name, text) {
  const path = `${cli}/${name}.cjs`;
  const file = `${name}-${text.slice(2, 18)}-${process.versions.v8}-${process.arch}`;
  const cachedData = readKept(file);
  const script = new Script(text, { filename: path, cachedData });
  // `load`: a part of the command that is a chunk of its own, run once.
  const chunk = {
    exports: {},
    require,
    load: (part) => (parts[part] ??= load(part, readFileSync(`${cli}/${part}.cjs`, "latin1"))),
  };
  script.runInThisContext()(chunk.exports, require, chunk, path, cli);
  if (cachedData === undefined || script.cachedDataRejected === true) compiled.push({ script, file });
  return chunk.exports;
}

/** Parts that were loaded, by their names. @type {Record<string, any>} */
const parts = {};

/** Chunks whose code is not kept yet. @type {{ script: import("node:vm").Script, file: string }[]} */
const compiled = [];

/** Keeps what V8 compiled, once the command has done its work. Never fails: it only saves time. */
function remember() {
  for (const { script, file } of compiled) {
    try {
      require(`${cli}/kept-code.cjs`).writeKept(`${cli}/cache`, file, script.createCachedData());
    } catch {
      // The disk is full, or the folder is not ours to write.
    }
  }
}

/** Of stdout and stderr those that somebody asked for: Node makes a stream when it is first asked, and takes 3 ms for it. */
const streams = new Set();
// What was loaded before this may have made them, or others in their place.
const isFirst = process.execArgv.length === 0 && !process.env["NODE_OPTIONS"];
for (const name of /** @type {const} */ (["stdout", "stderr"])) {
  const given = Object.getOwnPropertyDescriptor(process, name);
  if (!isFirst || given?.get === undefined) {
    streams.add(process[name]);
    continue;
  }
  const get = () => {
    const stream = given.get?.call(process);
    streams.add(stream);
    return stream;
  };
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get });
}

const [name = "", ...args] = process.argv.slice(2);
// The build writes nothing but ASCII, which is read fastest as Latin-1. Other bundles than commands have a dash or are main.
const text = /^[a-z]+$/.test(name) && name !== "main" ? read(`${cli}/${name}.cjs`, "latin1") : undefined;
if (text === undefined) require(`${cli}/main.cjs`).help(process.argv.slice(2));
else run(text).catch((error) => require(`${cli}/main.cjs`).fail(error));

/** @param {string} chunk */
async function run(chunk) {
  process.exitCode = await load(name, chunk).run(args);
  remember();
  // Node would take V8's heaps apart, which takes it some milliseconds; output that waits for its reader is waited for.
  if ([...streams].every(({ writableLength }) => writableLength === 0)) process.exit();
}
