import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { TypesError } from "./types-error.ts";

/** Folders that hold no sources of a project's own. */
const ELSEWHERE = /^(node_modules|dist|build|coverage|\..*)$/;

/**
 * The `*.bpf.ts` files among some files and folders, those of folders with all below them but `node_modules`, what was built and
 * what begins with a dot; in order. Throws TypesError for a path that is not there.
 */
export function findKernelSources(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => (isFolder(path) ? inFolder(path) : [path])))].sort();
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new TypesError(`${path} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

function inFolder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ELSEWHERE.test(entry.name) ? [] : inFolder(path);
    return entry.name.endsWith(".bpf.ts") ? [path] : [];
  });
}
