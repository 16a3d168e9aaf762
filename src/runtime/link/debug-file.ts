import { readFileSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { type DebugLink, readDebugLink, readTables } from "../../object/elf/index.ts";
import { withElfFile } from "./elf-file.ts";

const DEBUG = "/usr/lib/debug";

/**
 * The file that has the symbols of a stripped one, where distributions put it (`-dbgsym`, `-debuginfo`): found by the build id or
 * by the name that the stripped file says. Undefined where there is none that belongs to it. Throws ElfError.
 */
export function debugFileOf(path: string): string | undefined {
  const { buildId, file } = linkOf(path);
  const candidates: string[] = [];
  if (buildId !== undefined && buildId.length > 2)
    candidates.push(`${DEBUG}/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`);
  if (file !== undefined) {
    const folder = dirname(realpathSync(path));
    candidates.push(...[folder, `${folder}/.debug`, `${DEBUG}${folder}`].map((one) => `${one}/${file.name}`));
  }
  return candidates.find((candidate) => {
    try {
      const other = linkOf(candidate);
      // One of another build has other addresses.
      if (buildId !== undefined) return other.buildId === buildId;
      return crc32(readFileSync(candidate)) === file?.crc;
    } catch {
      return false;
    }
  });
}

function linkOf(path: string): DebugLink {
  return withElfFile(path, (read) => readDebugLink(readTables(read), read));
}
