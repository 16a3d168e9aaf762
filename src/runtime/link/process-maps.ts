import { fstatSync, readFileSync, readlinkSync } from "node:fs";
import { withElfFile } from "./elf-file.ts";

/** A part of a file that a process has mapped (proc_pid_maps(5)). */
export interface FileMapping {
  /** Where in the process's memory it begins and ends. */
  readonly start: bigint;
  readonly end: bigint;
  readonly executable: boolean;
  /** Bytes into the file that it begins at. */
  readonly offset: number;
  readonly inode: number;
  /** As the process sees it, from its own root on. */
  readonly path: string;
  /** Whether it is not there any more: removed, or another file has taken its name. */
  readonly deleted: boolean;
}

const DELETED = / \(deleted\)$/;

/** The files that a process has mapped. Throws Node's own ENOENT where there is no such process, EACCES where it is another's. */
export function fileMappings(pid: number): readonly FileMapping[] {
  const mappings: FileMapping[] = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    // `55d0-55e0 r-xp 00002000 fe:01 1234   /usr/bin/node`
    const found = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ (\d+) +(\/.*)$/.exec(line);
    if (found === null) continue;
    const [, start, end, rights, offset, inode, path] = found as unknown as string[];
    mappings.push({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      executable: rights?.[2] === "x",
      offset: Number.parseInt(offset as string, 16),
      inode: Number(inode),
      // A newline in a name is written as an octal number.
      path: (path as string).replace(DELETED, "").replaceAll("\\012", "\n"),
      deleted: DELETED.test(path as string),
    });
  }
  return mappings;
}

/**
 * The real path of an open file, as the kernel tells it, and so in the words of /proc/PID/maps: one that only another mount
 * namespace has begins at that namespace's root.
 */
export function openedPath(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

/**
 * Where in a process's memory a byte of a file stands, for each time that the process has mapped it to be executed. `path` is
 * the file as this process sees it.
 */
export function addressesInProcess(pid: number, path: string, fileOffset: number): readonly bigint[] {
  const { ino, name } = withElfFile(path, (_, fd) => ({ ino: fstatSync(fd).ino, name: openedPath(fd) }));
  return fileMappings(pid)
    .filter(({ executable, inode, offset, start, end, path: mapped, deleted }) => {
      // Layered file systems show other numbers here than stat(2) does: the name will do as well.
      const isFile = inode === ino || (deleted ? `${mapped} (deleted)` : mapped) === name;
      return executable && isFile && fileOffset >= offset && fileOffset < offset + Number(end - start);
    })
    .map(({ start, offset }) => start + BigInt(fileOffset - offset));
}
