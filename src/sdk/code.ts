// Loads the library's files with the code that V8 compiled of them before (dist/code; scripts/code-chunks.js writes them).
const {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} = process.getBuiltinModule("node:fs");
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

const folder = import.meta.dirname;
const files = new Map<string, Exports>();
const compiled: Compiled[] = [];

/**
 * V8 compiles a function when it is called first, so what a process can leave to the next is what it used itself, and what
 * was left to it. Each time that this was nothing more, the next look at it gets half as likely: it takes milliseconds.
 */
const MOST_TRIES = 8;

/** Where V8 refuses what is kept, for a flag it was given: two programs with different flags must not write it in turns. */
const AFTER_REFUSAL = 3;

/** By how much more it is kept again. */
const GROWN = 1.05;

/** After so many milliseconds a process that goes on has done what it does at its start: it may be ended by a signal. */
const SETTLED = 2000;

/** As for Node's own compile cache (module.enableCompileCache); and with kept code V8's coverage is less exact. */
const keeps = !process.env["NODE_DISABLE_COMPILE_CACHE"] && !process.env["NODE_V8_COVERAGE"];

/** What the file `name` of the library exports; it runs when it is asked for first. */
export function code(name: string, external?: External): Exports {
  const known = files.get(name);
  if (known !== undefined) return known;
  const path = `${folder}/${name}.script.js`;
  const text = readFileSync(path, "latin1");
  const file = `${folder}/cache/${name}-${text.slice(2, 18)}-${process.versions.v8}-${process.arch}`;
  const kept = keeps ? readKept(file) : undefined;
  const script = new Script(text, { filename: path, ...(kept !== undefined && { cachedData: kept.subarray(0, -1) }) });
  const isTaken = kept !== undefined && script.cachedDataRejected !== true;
  const size = isTaken ? kept.length - 1 : 0;
  const tries = kept === undefined ? 0 : isTaken ? (kept.at(-1) as number) : AFTER_REFUSAL;
  if (keeps && Math.random() < 2 ** -tries) keepLater({ script, file, size, tries });
  const run = script.runInThisContext() as (...given: unknown[]) => Exports;
  const exports = run(code, builtin, import.meta, (specifier: string) => import(specifier), external);
  files.set(name, exports);
  return exports;
}

/** Node's modules as `require` has them: an import would make a second form of each, and of `fs` load streams for it. */
function builtin(name: string): unknown {
  return process.getBuiltinModule(name);
}

/** V8's code, and behind it one byte: how often nothing was to be added since something was. */
function readKept(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.length > 1 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function keepLater(one: Compiled): void {
  if (compiled.push(one) > 1) return;
  process.once("exit", keep);
  setTimeout(keep, SETTLED).unref();
}

/** Never fails: it only saves time. Where the folder is not ours to write nothing is tried. */
function keep(): void {
  if (compiled.length === 0 || !process.getBuiltinModule("node:worker_threads").isMainThread) return;
  try {
    mkdirSync(`${folder}/cache`, { recursive: true });
    accessSync(`${folder}/cache`, constants.W_OK);
    for (const one of compiled.splice(0)) keepOne(one);
  } catch {
    // Another process may do the same now, or the disk is full.
  }
}

function keepOne({ script, file, size, tries }: Compiled): void {
  const data = script.createCachedData();
  if (data.length <= size * GROWN) {
    writeLast(file, size, Math.min(tries + 1, MOST_TRIES));
    return;
  }
  // Whole files only, for whoever reads it now and after a loss of power: V8 believes what it gets.
  const partial = `${file}.${process.pid}`;
  try {
    writeFileSync(partial, Buffer.concat([data, Buffer.of(0)]), { flag: "wx", mode: 0o644, flush: true });
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function writeLast(file: string, at: number, byte: number): void {
  const fd = openSync(file, "r+");
  try {
    // Another process may have kept more meanwhile.
    if (fstatSync(fd).size !== at + 1) return;
    writeSync(fd, Uint8Array.of(byte), 0, 1, at);
  } finally {
    closeSync(fd);
  }
}
