import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { readLibraryCache } from "../../object/elf/index.ts";
import { type FileMapping, fileMappings } from "./process-maps.ts";

/** A program or library that is not there. */
export class BinaryError extends Error {
  override readonly name = "BinaryError";
  readonly code = "SKEP_BINARY";
}

const CACHE = "/etc/ld.so.cache";
/** What the dynamic linker's cache says of libraries for this machine. */
const OWN_FLAGS: Readonly<Record<string, number>> = { x64: 0x0303, arm64: 0x0a03 };
const TRIPLETS: Readonly<Record<string, string>> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };

/**
 * The file that a name means, as this process can open it. A name with a `/` in it is a path, and stays. A bare one is a
 * program (`node`) or a library, by its whole name (`libssl.so.3`), without its end (`libssl`) or its beginning (`ssl`).
 *
 * With `pid` it is one that the process has loaded, also in a container, where it has other files than we: `/proc/PID/root/…`,
 * or, when the file has been replaced since, `/proc/PID/map_files/…`. Otherwise, and for what the process has not
 * loaded: for libraries the dynamic linker's cache and its usual folders, for programs the folders of PATH. Programs
 * come first, but for names that begin with `lib` or have `.so` in them. Throws BinaryError, which tells where was looked.
 */
export function findBinary(name: string, pid?: number): string {
  if (name.includes("/")) return name;
  const places: string[] = [];
  const root = pid === undefined ? "" : rootOf(pid);
  const loaded = pid === undefined ? undefined : inProcess(name, pid, root, places);
  if (loaded !== undefined) return loaded;
  const isLibrary = /^lib|\.so(\.|$)/.test(name);
  const ways = isLibrary ? [inCache, inFolders, inPath] : [inPath, inCache, inFolders];
  for (const find of ways) {
    const found = find(name, root, places);
    if (found !== undefined) return found;
  }
  throw new BinaryError(
    `There is no program or library "${name}". It was looked for in ${places.join(", ")}. Give its path, or the process that has it loaded (pid).`,
  );
}

/** Where a process's files are for us: "" where they are the same as ours. */
function rootOf(pid: number): string {
  const same = lookAt(pid, () =>
    ["ns/mnt", "root"].every((link) => readlinkSync(`/proc/self/${link}`) === readlinkSync(`/proc/${pid}/${link}`)),
  );
  return same ? "" : `/proc/${pid}/root`;
}

/** Reads what /proc has of a process. Some kernels refuse one file of another user's process, others the next. */
function lookAt<T>(pid: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new BinaryError(
      `The files of process ${pid} cannot be looked at: ${(error as Error).message}. It has ended, or it is another user's, for which CAP_SYS_PTRACE is needed.`,
    );
  }
}

/** Whether a file is what `name` means: `libc.so.6` and `libc-2.31.so` are `libc` and `c`. */
function isCalled(file: string, name: string): boolean {
  if (file === name) return true;
  return [name, `lib${name}`].some(
    (one) => file.startsWith(one) && /^(-[\d.]+)?\.so(\.|$)/.test(file.slice(one.length)),
  );
}

const baseName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

function inProcess(name: string, pid: number, root: string, places: string[]): string | undefined {
  places.push(`what process ${pid} has loaded (/proc/${pid}/maps)`);
  const mappings = lookAt(pid, () => fileMappings(pid)).filter(({ executable }) => executable);
  const found =
    mappings.find(({ path }) => baseName(path) === name) ?? mappings.find(({ path }) => isCalled(baseName(path), name));
  return found === undefined ? undefined : fileOf(found, pid, root);
}

/** The very file that is mapped: one of the same name may have taken its place, as updates do. */
function fileOf({ start, end, path, deleted }: FileMapping, pid: number, root: string): string {
  if (!deleted) return `${root}${path}`;
  return `/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`;
}

function inCache(name: string, root: string, places: string[]): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(`${root}${CACHE}`);
  } catch {
    // musl has none, nor have small images.
    return undefined;
  }
  places.push(`${root}${CACHE}`);
  const own = readLibraryCache(bytes).filter(({ flags }) => flags === OWN_FLAGS[process.arch]);
  const found = own.find((one) => one.name === name) ?? own.find((one) => isCalled(one.name, name));
  return found === undefined || !existsSync(`${root}${found.path}`) ? undefined : `${root}${found.path}`;
}

function inFolders(name: string, root: string, places: string[]): string | undefined {
  const own = (process.env["LD_LIBRARY_PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const triplet = TRIPLETS[process.arch];
  const usual = ["/usr/local/lib", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];
  const folders = [
    ...(root === "" ? own : []),
    ...(triplet === undefined ? [] : [`/lib/${triplet}`, `/usr/lib/${triplet}`]),
    ...usual,
  ];
  const seen = new Set<string>();
  for (const folder of folders) {
    const path = `${root}${folder}`;
    const files = filesIn(path, seen);
    if (files === undefined) continue;
    places.push(path);
    const found = files.find((file) => file === name) ?? files.find((file) => isCalled(file, name));
    if (found !== undefined) return `${path}/${found}`;
  }
  return undefined;
}

/** The files of a folder; undefined for one that is not there, or is another one by another name. */
function filesIn(folder: string, seen: Set<string>): readonly string[] | undefined {
  try {
    // Not by its real path: Node follows links itself, and out of another process's root.
    const { dev, ino } = statSync(folder, { bigint: true });
    const itself = `${dev}:${ino}`;
    if (seen.has(itself)) return undefined;
    seen.add(itself);
    return readdirSync(folder).sort();
  } catch {
    return undefined;
  }
}

function inPath(name: string, root: string, places: string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin").split(":");
  places.push(`the folders of PATH${root === "" ? "" : ` under ${root}`} (${folders.join(":")})`);
  for (const folder of folders) {
    const path = `${root}${folder}/${name}`;
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}
