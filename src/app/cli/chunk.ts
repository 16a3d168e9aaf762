import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { wrap } from "node:module";
import { Script } from "node:vm";

/** A hash of each chunk's text, put in by the build. */
declare const SKEP_CHUNKS: Readonly<Record<string, string>>;

/** A command's chunk, and what to call when the command has done its work. */
export interface Chunk<T> {
  readonly exports: T;
  /** Keeps what V8 compiled, for the next run, unless that is kept already. Never fails: it only saves time. */
  remember(): void;
}

/**
 * Loads the chunk `NAME.cjs` beside this file. Compiling it takes V8 longer than all the rest of the start, so the code
 * it compiled is kept in `cache/` after the first run, as Python keeps its own in `__pycache__`: one file for each text
 * and each V8, which V8 refuses when it does not suit it. Where the folder cannot be written nothing is kept.
 */
export function loadChunk<T>(name: string): Chunk<T> {
  const path = `${__dirname}/${name}.cjs`;
  const folder = `${__dirname}/cache`;
  const file = `${folder}/${name}-${SKEP_CHUNKS[name]}-${process.versions.v8}-${process.arch}`;
  // The build writes nothing but ASCII, which is read fastest as Latin-1.
  const text = wrap(readFileSync(path, "latin1"));
  const cachedData = read(file);
  const script = new Script(text, { filename: path, ...(cachedData !== undefined && { cachedData }) });
  const require = module.require.bind(module);
  const chunk = { exports: {}, require };
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  run.call(chunk.exports, chunk.exports, require, chunk, path, __dirname);
  return {
    exports: chunk.exports as T,
    remember() {
      if (cachedData !== undefined && script.cachedDataRejected !== true) return;
      try {
        mkdirSync(folder, { recursive: true });
        // Another run may do the same now: whole files only.
        writeFileSync(`${file}.${process.pid}`, script.createCachedData());
        renameSync(`${file}.${process.pid}`, file);
      } catch {
        // A folder that is not ours to write.
      }
    },
  };
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
