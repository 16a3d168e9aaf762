import { posix } from "node:path";
import { textLength, textOf } from "./escape.ts";
import type { DecodedCall } from "./model.ts";
import { AT_FDCWD } from "./types/file.ts";
import { endpointOf, socketText } from "./types/network.ts";
import { captured, int, low, viewOf } from "./words.ts";

/** What a process had open when the tracing found it: what `/proc/PID/fd` says, by descriptor. */
export interface FdSnapshot {
  readonly files: ReadonlyMap<number, string>;
  readonly cwd?: string | undefined;
}

const O_CLOEXEC = 0x80000;
const SOCK_CLOEXEC = 0x80000;
const F_SETFD = 2;
const F_DUPFD = 0;
const F_DUPFD_CLOEXEC = 1030;
const CLOSE_RANGE_CLOEXEC = 4;

/** What one descriptor is open on. */
interface OpenFile {
  readonly text: string;
  readonly closeOnExec: boolean;
  /** A socket before it has an address. */
  readonly socket?: string;
}

/**
 * The open files of one process, kept from its calls: what each descriptor is open on, as its paths were given, made
 * absolute. Symbolic links are not followed. A rename by the process itself is followed; a file that another process
 * renames keeps the name it was opened by.
 */
export class FdTable {
  #files: Map<number, OpenFile>;
  #cwd: string | undefined;

  constructor(snapshot: FdSnapshot) {
    this.#files = new Map([...snapshot.files].map(([fd, text]) => [fd, { text, closeOnExec: false }]));
    this.#cwd = snapshot.cwd;
  }

  /** As fork(2) does it: the same files, from now on apart. */
  copy(): FdTable {
    const table = new FdTable({ files: new Map(), cwd: this.#cwd });
    table.#files = new Map(this.#files);
    return table;
  }

  text(fd: number): string | undefined {
    return this.#files.get(fd)?.text;
  }

  /** The working directory, when it is known. */
  get cwd(): string | undefined {
    return this.#cwd;
  }

  /** A path as the call means it: relative to its directory descriptor or the working directory. */
  resolve(dirfd: number, path: string): string | undefined {
    if (path.startsWith("/")) return posix.normalize(path);
    const base = dirfd === AT_FDCWD ? this.#cwd : this.#files.get(dirfd)?.text;
    return base?.startsWith("/") ? posix.join(base, path) : undefined;
  }

  /** What the descriptor that a successful call returned is open on; undefined when it returned none we can name. */
  opened(call: DecodedCall): OpenFile | undefined {
    if (call.ret < 0 || call.unfinished) return undefined;
    const make = OPENERS[call.name];
    return make === undefined ? undefined : make(call, this);
  }

  /** Takes a call into account. Call it for each, in order, also for those that are not shown. */
  apply(call: DecodedCall): void {
    if (call.unfinished || call.ret < 0) return;
    const change = CHANGES[call.name];
    if (change !== undefined) {
      change(call, this.#files, this);
      return;
    }
    if (OPENERS[call.name] === undefined) return;
    const file = this.opened(call);
    if (file === undefined) this.#files.delete(call.ret);
    else this.#files.set(call.ret, file);
  }

  /** A file or folder has another name now, and so have those open in it. With `exchange`, each has the other's. */
  _rename(from: string, to: string, exchange: boolean): void {
    const moved = (path: string) =>
      within(path, from)
        ? to + path.slice(from.length)
        : exchange && within(path, to)
          ? from + path.slice(to.length)
          : path;
    for (const [fd, file] of this.#files) {
      const text = moved(file.text);
      if (text !== file.text) this.#files.set(fd, { ...file, text });
    }
    if (this.#cwd !== undefined) this.#cwd = moved(this.#cwd);
  }

  _chdir(path: string | undefined): void {
    this.#cwd = path;
  }

  _file(fd: number): OpenFile | undefined {
    return this.#files.get(fd);
  }
}

function within(path: string, folder: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === "/");
}

function pathOf(call: DecodedCall, arg: number): string | undefined {
  const path = captured(call, arg);
  if (path === undefined || path.truncated) return undefined;
  return textOf(path.bytes, textLength(path.bytes));
}

function opening(dirArg: number | undefined, pathArg: number, closeOnExec: (call: DecodedCall) => boolean) {
  return (call: DecodedCall, table: FdTable): OpenFile | undefined => {
    const path = pathOf(call, pathArg);
    if (path === undefined) return undefined;
    const text = table.resolve(dirArg === undefined ? AT_FDCWD : int(call, dirArg), path);
    return text === undefined ? undefined : { text, closeOnExec: closeOnExec(call) };
  };
}

const flagIn = (arg: number) => (call: DecodedCall) => (low(call, arg) & O_CLOEXEC) !== 0;
const anonymous = (name: string, closeOnExec: (call: DecodedCall) => boolean) => (call: DecodedCall) => ({
  text: `anon_inode:${name}`,
  closeOnExec: closeOnExec(call),
});
const always = () => true;
const never = () => false;

function accepted(call: DecodedCall, table: FdTable): OpenFile | undefined {
  const listener = table._file(int(call, 0));
  const kind = listener?.socket ?? "socket";
  const peer = endpointOf(captured(call, 1));
  const closeOnExec = call.name === "accept4" && (low(call, 3) & SOCK_CLOEXEC) !== 0;
  return { text: peer === undefined ? kind : `${kind}:${peer}`, closeOnExec, socket: kind };
}

/** Calls that return a new descriptor, and what it is open on. */
const OPENERS: Readonly<Record<string, (call: DecodedCall, table: FdTable) => OpenFile | undefined>> = {
  open: opening(undefined, 0, flagIn(1)),
  creat: opening(undefined, 0, never),
  openat: opening(0, 1, flagIn(2)),
  openat2: opening(0, 1, (call) => {
    const how = viewOf(captured(call, 2), 8);
    return how !== undefined && (how.getUint32(0, true) & O_CLOEXEC) !== 0;
  }),
  open_tree: opening(0, 1, flagIn(2)),
  dup: (call, table) => again(table._file(int(call, 0)), false),
  fcntl: (call, table) => again(table._file(int(call, 0)), int(call, 1) === F_DUPFD_CLOEXEC),
  socket: (call) => {
    const socket = socketText(int(call, 0), int(call, 1), int(call, 2));
    return { text: socket, closeOnExec: (low(call, 1) & SOCK_CLOEXEC) !== 0, socket };
  },
  accept: accepted,
  accept4: accepted,
  epoll_create: anonymous("[eventpoll]", never),
  epoll_create1: anonymous("[eventpoll]", flagIn(0)),
  eventfd: anonymous("[eventfd]", never),
  eventfd2: anonymous("[eventfd]", flagIn(1)),
  timerfd_create: anonymous("[timerfd]", flagIn(1)),
  signalfd: anonymous("[signalfd]", never),
  signalfd4: anonymous("[signalfd]", flagIn(3)),
  inotify_init: anonymous("inotify", never),
  inotify_init1: anonymous("inotify", flagIn(0)),
  userfaultfd: anonymous("[userfaultfd]", flagIn(0)),
  io_uring_setup: anonymous("[io_uring]", always),
  perf_event_open: anonymous("[perf_event]", (call) => (low(call, 4) & 8) !== 0),
  pidfd_open: anonymous("[pidfd]", always),
  pidfd_getfd: () => undefined,
  landlock_create_ruleset: anonymous("[landlock-ruleset]", always),
  memfd_create: (call) => ({ text: `/memfd:${pathOf(call, 0) ?? ""}`, closeOnExec: (low(call, 1) & 1) !== 0 }),
  fsopen: anonymous("[fscontext]", (call) => (low(call, 1) & 1) !== 0),
  fsmount: () => undefined,
  open_by_handle_at: () => undefined,
  mq_open: () => undefined,
};

function again(file: OpenFile | undefined, closeOnExec: boolean): OpenFile | undefined {
  return file === undefined ? undefined : { ...file, closeOnExec };
}

type Change = (call: DecodedCall, files: Map<number, OpenFile>, table: FdTable) => void;

const duplicate: Change = (call, files) => {
  const file = files.get(int(call, 0));
  const closeOnExec = call.name === "dup3" && (low(call, 2) & O_CLOEXEC) !== 0;
  if (int(call, 0) === int(call, 1)) return;
  if (file === undefined) files.delete(int(call, 1));
  else files.set(int(call, 1), { ...file, closeOnExec });
};

const pair =
  (arg: number, text: (call: DecodedCall) => string, flags: number | undefined): Change =>
  (call, files) => {
    const view = viewOf(captured(call, arg), 8);
    if (view === undefined) return;
    const closeOnExec = flags !== undefined && (low(call, flags) & O_CLOEXEC) !== 0;
    for (const at of [0, 4]) files.set(view.getInt32(at, true), { text: text(call), closeOnExec });
  };

const addressed =
  (arrow: string): Change =>
  (call, files) => {
    const file = files.get(int(call, 0));
    const end = endpointOf(captured(call, 1));
    if (file?.socket === undefined || end === undefined) return;
    files.set(int(call, 0), { ...file, text: `${file.socket}:${arrow}${end}` });
  };

const RENAME_EXCHANGE = 2;

/** rename(2) and its like; the folders' descriptors, where the call has them, come before the paths. */
const renaming =
  (dirs: boolean, flags: number | undefined): Change =>
  (call, _files, table) => {
    const full = (dirArg: number, pathArg: number) => {
      const path = pathOf(call, pathArg);
      return path === undefined ? undefined : table.resolve(dirs ? int(call, dirArg) : AT_FDCWD, path);
    };
    const from = dirs ? full(0, 1) : full(0, 0);
    const to = dirs ? full(2, 3) : full(0, 1);
    if (from === undefined || to === undefined) return;
    table._rename(from, to, flags !== undefined && (low(call, flags) & RENAME_EXCHANGE) !== 0);
  };

const exec: Change = (_call, files) => {
  for (const [fd, file] of files) if (file.closeOnExec) files.delete(fd);
};

/** Calls that change the table otherwise than by the descriptor they return. */
const CHANGES: Readonly<Record<string, Change>> = {
  close: (call, files) => {
    files.delete(int(call, 0));
  },
  close_range: (call, files) => {
    const last = low(call, 1);
    for (const [fd, file] of files) {
      if (fd < low(call, 0) || fd > last) continue;
      if ((low(call, 2) & CLOSE_RANGE_CLOEXEC) === 0) files.delete(fd);
      else files.set(fd, { ...file, closeOnExec: true });
    }
  },
  dup2: duplicate,
  dup3: duplicate,
  fcntl: (call, files, table) => {
    const command = int(call, 1);
    const file = files.get(int(call, 0));
    if (command === F_DUPFD || command === F_DUPFD_CLOEXEC) {
      const copy = table.opened(call);
      if (copy === undefined) files.delete(call.ret);
      else files.set(call.ret, copy);
    } else if (command === F_SETFD && file !== undefined) {
      files.set(int(call, 0), { ...file, closeOnExec: (low(call, 2) & 1) !== 0 });
    }
  },
  pipe: pair(0, () => "pipe", undefined),
  pipe2: pair(0, () => "pipe", 1),
  socketpair: pair(3, (call) => socketText(int(call, 0), int(call, 1), int(call, 2)), 1),
  connect: addressed("→"),
  bind: addressed(""),
  chdir: (call, _files, table) => {
    const path = pathOf(call, 0);
    table._chdir(path === undefined ? undefined : table.resolve(AT_FDCWD, path));
  },
  fchdir: (call, _files, table) => {
    table._chdir(table.text(int(call, 0)));
  },
  rename: renaming(false, undefined),
  renameat: renaming(true, undefined),
  renameat2: renaming(true, 4),
  execve: exec,
  execveat: exec,
};

/** Calls that the table must see to be right; a trace that shows others only still needs these. */
export const FILE_CALLS: readonly string[] = [...Object.keys(OPENERS), ...Object.keys(CHANGES)];
