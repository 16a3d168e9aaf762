// Loads the library's files with the code that V8 compiled of them before (dist/code; scripts/code-chunks.js writes them).
import { readKept, writeKept, writeTries } from "./kept-code.ts";

const { readFileSync } = process.getBuiltinModule("node:fs");
const { fileURLToPath } = process.getBuiltinModule("node:url");
const { Script } = process.getBuiltinModule("node:vm");

/** What a file gives: what it exports, by name. */
type Exports = Readonly<Record<string, unknown>>;

/** Packages that a file imports, by their names. */
type External = Readonly<Record<string, unknown>>;

/** Compiled, and perhaps with more by now than what is kept of it. */
interface Compiled {
  readonly script: InstanceType<typeof Script>;
  readonly file: string;
  /** Bytes of V8's that are kept. */
  readonly size: number;
  readonly tries: number;
}

const folder = fileURLToPath(new URL(".", import.meta.url)).replace(/\/$/, "");
const cache = `${folder}/cache`;
const files = new Map<string, Exports>();
const failed = new Map<string, unknown>();
const compiled: Compiled[] = [];

/**
 * V8 compiles a function when it is called first, so what a process can leave to the next is what it used itself, and what
 * was left to it. Each time that this was nothing more, the next look at it gets half as likely: it takes milliseconds.
 */
const MOST_TRIES = 8;

/** By how much more it is kept again. */
const GROWN = 1.05;

/** After so many milliseconds a process that goes on has done what it does at its start: it may be ended by a signal. */
const SETTLED = 2000;

/** Milliseconds between two files while a process goes on, which has other things to do. */
const APART = 50;

/** As for Node's own compile cache (module.enableCompileCache); and with kept code V8's coverage is less exact. */
const keeps = !process.env["NODE_DISABLE_COMPILE_CACHE"] && !process.env["NODE_V8_COVERAGE"];

/** V8 refuses code that was compiled with other flags. */
const flags = keeps && (process.execArgv.length > 0 || process.env["NODE_OPTIONS"]) ? `-${flagsTag()}` : "";

/** What V8 says of itself and of its flags before all that it has compiled. */
function flagsTag(): string {
  return new Script("").createCachedData().subarray(4, 16).toString("hex");
}

/** What the file `name` of the library exports; it runs when it is asked for first. */
export function code(name: string, external?: External): Exports {
  const known = files.get(name);
  if (known !== undefined) return known;
  if (failed.has(name)) throw failed.get(name);
  try {
    const exports = run(name, external);
    files.set(name, exports);
    return exports;
  } catch (error) {
    // As a module is evaluated once only.
    failed.set(name, error);
    throw error;
  }
}

function run(name: string, external: External | undefined): Exports {
  const path = `${folder}/${name}.script.js`;
  const text = readText(path);
  const file = `${name}-${text.slice(2, 18)}-${process.versions.v8}-${process.arch}${flags}`;
  const kept = keeps ? readKept(cache, file) : undefined;
  const script = new Script(text, { filename: path, ...(kept !== undefined && { cachedData: kept.data }) });
  const isTaken = kept !== undefined && script.cachedDataRejected !== true;
  const [size, tries] = isTaken ? [kept.data.length, kept.tries] : [0, 0];
  if (keeps && Math.random() < 2 ** -tries) keepLater({ script, file, size, tries });
  const make = script.runInThisContext() as (...given: unknown[]) => Exports;
  return make(code, builtin, import.meta, (specifier: string) => import(specifier), external);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (cause) {
    throw new Error(
      `A file of Skep's is not where it belongs: ${path}. Where Skep is bundled, give the bundler the condition "module", or leave Skep out ("external").`,
      { cause },
    );
  }
}

/** Node's modules as `require` has them: an import would make a second form of each, and of `fs` load streams for it. */
function builtin(name: string): unknown {
  return process.getBuiltinModule(name);
}

function keepLater(one: Compiled): void {
  if (compiled.push(one) > 1) return;
  process.once("exit", keepAll);
  setTimeout(keepNext, SETTLED).unref();
}

function keepAll(): void {
  for (const one of compiled.splice(0)) keep(one);
}

function keepNext(): void {
  const one = compiled.shift();
  if (one !== undefined) keep(one);
  if (compiled.length > 0) setTimeout(keepNext, APART).unref();
}

/** Never fails: it only saves time. Threads leave it to the program's first. */
function keep({ script, file, size, tries }: Compiled): void {
  try {
    if (!process.getBuiltinModule("node:worker_threads").isMainThread) return;
    const data = script.createCachedData();
    if (data.length > size * GROWN) writeKept(cache, file, data);
    else writeTries(cache, file, size, Math.min(tries + 1, MOST_TRIES));
  } catch {
    // The disk is full, or the folder is not ours to write.
  }
}
