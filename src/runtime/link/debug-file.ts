import { fstatSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type DebugLink, readDebugLink, readTables } from "../../object/elf/index.ts";
import { withElfFile } from "./elf-file.ts";
import { openedPath } from "./process-maps.ts";

const DEBUG = "/usr/lib/debug";

/**
 * The file that has the symbols of a stripped one, where distributions put it (`-dbgsym`, `-debuginfo`): found by the build id or
 * by the name that the stripped file says; of a file in a container (`/proc/PID/root/…`) there or here. Undefined where there is
 * none that belongs to it. Throws ElfError.
 */
export function debugFileOf(path: string): string | undefined {
  const { buildId, file, itself, folder } = factsOf(path);
  const names: string[] = [];
  if (buildId !== undefined && buildId.length > 2)
    names.push(`${DEBUG}/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`);
  if (file !== undefined && folder !== undefined)
    names.push(...[folder, `${folder}/.debug`, `${DEBUG}${folder}`].map((one) => `${one}/${file.name}`));
  const [, process] = /^(\/proc\/\d+)\/(?:root|map_files)\//.exec(path) ?? [];
  const roots = process === undefined ? [""] : [`${process}/root`, ""];
  const candidates = roots.flatMap((root) => names.map((name) => `${root}${name}`));
  return candidates.find((candidate) => {
    try {
      const other = factsOf(candidate);
      // The stripped file itself, where the one with the symbols has its name in another folder.
      if (other.itself === itself) return false;
      // One of another build has other addresses.
      if (buildId !== undefined) return other.buildId === buildId;
      // Loaded when it is needed: that takes a command some milliseconds.
      const { crc32 } = globalThis.process.getBuiltinModule("node:zlib");
      return crc32(readFileSync(candidate)) === file?.crc;
    } catch {
      return false;
    }
  });
}

interface Facts extends DebugLink {
  /** Which file it is, by whatever path. */
  readonly itself: string;
  /** Where it is, as the file's own mount namespace has it; undefined where /proc does not tell. */
  readonly folder: string | undefined;
}

function factsOf(path: string): Facts {
  return withElfFile(path, (read, fd) => {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return { ...readDebugLink(readTables(read), read), itself: `${dev}:${ino}`, folder: folderOf(fd) };
  });
}

function folderOf(fd: number): string | undefined {
  try {
    return dirname(openedPath(fd));
  } catch {
    return undefined;
  }
}
