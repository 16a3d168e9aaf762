import { absolutePath } from "./absolute-path.ts";
import { CHANGES, OPENERS } from "./fd-calls.ts";
import type { DecodedCall } from "./model.ts";
import { type Descriptor, type Opened, OpenFile } from "./open-file.ts";
import { AT_FDCWD } from "./types/file.ts";

/** What a process had open when the tracing found it: what `/proc/PID/fd` says, by descriptor. */
export interface FdSnapshot {
  readonly files: ReadonlyMap<number, Opened>;
  readonly cwd?: string | undefined;
}

/**
 * The open files of one process, kept from its calls: what each descriptor is open on, as its paths were given, made
 * absolute. Symbolic links are not followed. A rename by the process itself is followed; a file that another process
 * renames keeps the name it was opened by.
 */
export class FdTable {
  #descriptors: Map<number, Descriptor>;
  #cwd: string | undefined;

  constructor(snapshot: FdSnapshot) {
    this.#descriptors = new Map(
      [...snapshot.files].map(([fd, what]) => [fd, { file: new OpenFile(what), closeOnExec: false }]),
    );
    this.#cwd = snapshot.cwd;
  }

  /** As fork(2) does it: descriptors of its own, on the same files. */
  copy(): FdTable {
    const table = new FdTable({ files: new Map(), cwd: this.#cwd });
    table.#descriptors = new Map(this.#descriptors);
    return table;
  }

  /** What a descriptor is open on; undefined when that is not known. */
  text(fd: number): string | undefined {
    return this.#descriptors.get(fd)?.file.text;
  }

  /** The same, fit for a terminal: no control characters, no angle brackets. */
  label(fd: number): string | undefined {
    return this.#descriptors.get(fd)?.file.label;
  }

  get(fd: number): Descriptor | undefined {
    return this.#descriptors.get(fd);
  }

  /** The working directory, when it is known. */
  get cwd(): string | undefined {
    return this.#cwd;
  }

  /** A path as the call means it: relative to its directory descriptor or the working directory. */
  resolve(dirfd: number, path: string): string | undefined {
    if (path.startsWith("/")) return absolutePath("", path);
    const base = dirfd === AT_FDCWD ? this.#cwd : this.text(dirfd);
    return base?.startsWith("/") ? absolutePath(base, path) : undefined;
  }

  /** What the descriptor that a successful call returned is open on; undefined when it returned none we can name. */
  opened(call: DecodedCall): Descriptor | undefined {
    if (call.ret < 0 || call.unfinished) return undefined;
    return OPENERS[call.name]?.(call, this)?.descriptor;
  }

  /** Takes a call into account. Call it for each, in order, also for those that are not shown. */
  apply(call: DecodedCall): void {
    if (call.unfinished) return;
    CHANGES[call.name]?.(call, this);
    if (call.ret < 0) return;
    const opened = OPENERS[call.name]?.(call, this);
    if (opened !== undefined) this.set(call.ret, opened.descriptor);
  }

  /** For the calls' own use: a descriptor opened, or, when it is undefined, one of which nothing is known. */
  set(fd: number, descriptor: Descriptor | undefined): void {
    if (descriptor === undefined) this.#descriptors.delete(fd);
    else this.#descriptors.set(fd, descriptor);
  }

  /** For the calls' own use: every descriptor from one to another, both included, becomes what `change` gives. */
  change(first: number, last: number, change: (descriptor: Descriptor) => Descriptor | undefined): void {
    for (const [fd, descriptor] of this.#descriptors) {
      if (fd >= first && fd <= last) this.set(fd, change(descriptor));
    }
  }

  /** A file or folder has another name now, and so have those open in it. With `exchange`, each has the other's. */
  rename(from: string, to: string, exchange: boolean): void {
    const moved = (path: string) =>
      within(path, from)
        ? to + path.slice(from.length)
        : exchange && within(path, to)
          ? from + path.slice(to.length)
          : path;
    // Several descriptors may share a file, which is renamed once.
    for (const file of new Set([...this.#descriptors.values()].map(({ file }) => file))) file.rename(moved);
    if (this.#cwd !== undefined) this.#cwd = moved(this.#cwd);
  }

  /** For the calls' own use. */
  changeDirectory(path: string | undefined): void {
    this.#cwd = path;
  }
}

function within(path: string, folder: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === "/");
}
