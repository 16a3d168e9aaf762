// How calls change what a process has open. Read by FdTable.
import { absolutePath } from "./absolute-path.ts";
import { textLength, textOf } from "./escape.ts";
import type { FdTable } from "./fd-table.ts";
import type { DecodedCall } from "./model.ts";
import { type Descriptor, OpenFile, type SocketName } from "./open-file.ts";
import { AT_FDCWD } from "./types/file.ts";
import { endpointOf, familyOf, socketText } from "./types/network.ts";
import { captured, int, low, viewOf } from "./words.ts";

const O_CLOEXEC = 0x80000;
const SOCK_CLOEXEC = 0x80000;
/** With the bit of O_DIRECTORY, which is another on arm64. */
const O_TMPFILE = process.arch === "arm64" ? 0x404000 : 0x410000;
const AF_UNSPEC = 0;
const F_DUPFD = 0;
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
const FIOCLEX = 0x5451;
const FIONCLEX = 0x5450;
const CLOSE_RANGE_CLOEXEC = 4;
const RENAME_EXCHANGE = 2;
const MFD_CLOEXEC = 1;
const RESOLVE_IN_ROOT = 0x10;
const LANDLOCK_QUERY = 1 | 2;
const EINPROGRESS = -115;
const EINTR = -4;
/** EINTR, EIO, ENOSPC, EDQUOT: the descriptor is closed, and what was left to be done has failed (close(2)). */
const CLOSED_WITH = new Set([EINTR, -5, -28, -122]);

/** What a call gave back; without a descriptor when it returned one of which nothing is known. */
interface Given {
  readonly descriptor: Descriptor | undefined;
}
/** Undefined when the call, as it was made, opens nothing at all. */
type Opener = (call: DecodedCall, table: FdTable) => Given | undefined;
type Change = (call: DecodedCall, table: FdTable) => void;
type CloseOnExec = (call: DecodedCall) => boolean;

const UNKNOWN: Given = { descriptor: undefined };
const always = () => true;
const never = () => false;
const flagIn = (arg: number) => (call: DecodedCall) => (low(call, arg) & O_CLOEXEC) !== 0;

function open(what: string | SocketName | undefined, closeOnExec: boolean): Given {
  return what === undefined ? UNKNOWN : { descriptor: { file: new OpenFile(what), closeOnExec } };
}

/** The same file under another number. */
function again(descriptor: Descriptor | undefined, closeOnExec: boolean): Given {
  return { descriptor: descriptor === undefined ? undefined : { ...descriptor, closeOnExec } };
}

function pathOf(call: DecodedCall, arg: number): string | undefined {
  const path = captured(call, arg);
  if (path === undefined || path.truncated) return undefined;
  return textOf(path.bytes, textLength(path.bytes));
}

const OWN_DESCRIPTOR = /^\/(?:proc\/(?:thread-)?self|dev)\/fd\/(\d+)$/;
const STANDARD: Readonly<Record<string, number>> = { "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2 };

/** What a path leads to: of the links to a process's own descriptors that is known. */
function destination(path: string | undefined, table: FdTable): string | undefined {
  const fd = path === undefined ? undefined : (OWN_DESCRIPTOR.exec(path)?.[1] ?? STANDARD[path]);
  return (fd === undefined ? undefined : table.text(Number(fd))) ?? path;
}

function opening(
  dirArg: number | undefined,
  pathArg: number,
  flagsArg: number | undefined,
  closeOnExec: CloseOnExec = never,
): Opener {
  return (call, table) => {
    const path = pathOf(call, pathArg);
    const directory = dirArg === undefined ? AT_FDCWD : int(call, dirArg);
    const whole = destination(path === undefined ? undefined : table.resolve(directory, path), table);
    const unnamed = flagsArg !== undefined && (low(call, flagsArg) & O_TMPFILE) === O_TMPFILE;
    return open(unnamed && whole !== undefined ? `${whole}/(unnamed)` : whole, closeOnExec(call));
  };
}

const anonymous =
  (name: string, closeOnExec: CloseOnExec): Opener =>
  (call) =>
    open(`anon_inode:${name}`, closeOnExec(call));

/** `struct open_how` (openat2(2)): flags, mode, resolve. */
const openat2: Opener = (call, table) => {
  const how = viewOf(captured(call, 2), 24);
  const path = pathOf(call, 1);
  if (how === undefined || path === undefined) return UNKNOWN;
  const closeOnExec = (how.getUint32(0, true) & O_CLOEXEC) !== 0;
  // As if the directory were the root.
  const inRoot = (how.getUint32(16, true) & RESOLVE_IN_ROOT) !== 0 && path.startsWith("/");
  const base = inRoot ? table.resolve(int(call, 0), ".") : undefined;
  return open(base === undefined ? table.resolve(int(call, 0), path) : absolutePath(base, `.${path}`), closeOnExec);
};

const accepted: Opener = (call, table) => {
  const listener = table.get(int(call, 0))?.file;
  const closeOnExec = call.name === "accept4" && (low(call, 3) & SOCK_CLOEXEC) !== 0;
  if (listener?.socket === undefined) return open("socket", closeOnExec);
  const { local } = listener;
  // Which of the machine's addresses a listener on all of them was called by is not known.
  const known = local !== undefined && !/^(0\.0\.0\.0|\[::\]):/.test(local);
  const peer = endpointOf(captured(call, 1));
  return open({ socket: listener.socket, ...(known && { local }), ...(peer !== undefined && { peer }) }, closeOnExec);
};

const duplicate: Opener = (call, table) => {
  const from = table.get(int(call, 0));
  // Onto itself: nothing changes.
  if (int(call, 0) === int(call, 1)) return { descriptor: from };
  return again(from, call.name === "dup3" && (low(call, 2) & O_CLOEXEC) !== 0);
};

const fcntlOpens: Opener = (call, table) => {
  const command = int(call, 1);
  if (command !== F_DUPFD && command !== F_DUPFD_CLOEXEC) return undefined;
  return again(table.get(int(call, 0)), command === F_DUPFD_CLOEXEC);
};

/** Calls that return a new descriptor, and what it is open on. */
export const OPENERS: Readonly<Record<string, Opener>> = {
  __proto__: null as never,
  open: opening(undefined, 0, 1, flagIn(1)),
  creat: opening(undefined, 0, undefined),
  openat: opening(0, 1, 2, flagIn(2)),
  openat2,
  open_tree: opening(0, 1, undefined, flagIn(2)),
  dup: (call, table) => again(table.get(int(call, 0)), false),
  dup2: duplicate,
  dup3: duplicate,
  fcntl: fcntlOpens,
  fcntl64: fcntlOpens,
  socket: (call) =>
    open({ socket: socketText(int(call, 0), int(call, 1), int(call, 2)) }, (low(call, 1) & SOCK_CLOEXEC) !== 0),
  accept: accepted,
  accept4: accepted,
  epoll_create: anonymous("[eventpoll]", never),
  epoll_create1: anonymous("[eventpoll]", flagIn(0)),
  eventfd: anonymous("[eventfd]", never),
  eventfd2: anonymous("[eventfd]", flagIn(1)),
  timerfd_create: anonymous("[timerfd]", flagIn(1)),
  signalfd: (call, table) => (int(call, 0) < 0 ? open("anon_inode:[signalfd]", false) : same(call, table)),
  signalfd4: (call, table) => (int(call, 0) < 0 ? open("anon_inode:[signalfd]", flagIn(3)(call)) : same(call, table)),
  inotify_init: anonymous("inotify", never),
  inotify_init1: anonymous("inotify", flagIn(0)),
  userfaultfd: anonymous("[userfaultfd]", flagIn(0)),
  io_uring_setup: anonymous("[io_uring]", always),
  perf_event_open: anonymous("[perf_event]", (call) => (low(call, 4) & 8) !== 0),
  pidfd_open: (call) => open(`pid:${int(call, 0)}`, true),
  pidfd_getfd: () => UNKNOWN,
  // With a query the result is a number, not a descriptor.
  landlock_create_ruleset: (call) =>
    (low(call, 2) & LANDLOCK_QUERY) === 0 ? open("anon_inode:[landlock-ruleset]", true) : undefined,
  memfd_create: (call) => open(`/memfd:${pathOf(call, 0) ?? ""}`, (low(call, 1) & MFD_CLOEXEC) !== 0),
  fsopen: anonymous("[fscontext]", (call) => (low(call, 1) & 1) !== 0),
  fspick: anonymous("[fscontext]", (call) => (low(call, 2) & 1) !== 0),
  fsmount: () => UNKNOWN,
  open_by_handle_at: () => UNKNOWN,
  mq_open: () => UNKNOWN,
};

/** A call that changes a descriptor and returns it. */
function same(call: DecodedCall, table: FdTable): Given {
  return { descriptor: table.get(int(call, 0)) };
}

const pair =
  (arg: number, what: (call: DecodedCall) => string | SocketName, flags: number | undefined): Change =>
  (call, table) => {
    const view = viewOf(captured(call, arg), 8);
    if (call.ret < 0 || view === undefined) return;
    const closeOnExec = flags !== undefined && (low(call, flags) & O_CLOEXEC) !== 0;
    for (const at of [0, 4]) table.set(view.getInt32(at, true), open(what(call), closeOnExec).descriptor);
  };

/** An address that was given to a socket, or that the kernel told. */
const named =
  (set: (file: OpenFile, endpoint: string | undefined) => void): Change =>
  (call, table) => {
    const file = table.get(int(call, 0))?.file;
    if (call.ret >= 0 && file !== undefined) set(file, endpointOf(captured(call, 1)));
  };

const connected: Change = (call, table) => {
  // Under way, which is how event loops connect.
  if (call.ret < 0 && call.ret !== EINPROGRESS && call.ret !== EINTR) return;
  const file = table.get(int(call, 0))?.file;
  const address = captured(call, 1);
  const peer = endpointOf(address);
  if (peer !== undefined) file?.setPeer(peer);
  else if (familyOf(address) === AF_UNSPEC) file?.setPeer(undefined);
};

/** An address with port 0 asks the kernel to choose one, which only getsockname(2) tells. */
const withPort = (endpoint: string | undefined) => (endpoint?.endsWith(":0") === true ? undefined : endpoint);

const fcntlChanges: Change = (call, table) => {
  const descriptor = table.get(int(call, 0));
  if (call.ret < 0 || int(call, 1) !== F_SETFD || descriptor === undefined) return;
  table.set(int(call, 0), { ...descriptor, closeOnExec: (low(call, 2) & FD_CLOEXEC) !== 0 });
};

/** The old way to mark a descriptor (ioctl_fioclex). */
const ioctl: Change = (call, table) => {
  const descriptor = table.get(int(call, 0));
  const request = low(call, 1);
  if (call.ret < 0 || descriptor === undefined || (request !== FIOCLEX && request !== FIONCLEX)) return;
  table.set(int(call, 0), { ...descriptor, closeOnExec: request === FIOCLEX });
};

const exec: Change = (call, table) => {
  if (call.ret >= 0) table.change(0, 0xffffffff, (descriptor) => (descriptor.closeOnExec ? undefined : descriptor));
};

/** rename(2) and its like; the folders' descriptors, where the call has them, come before the paths. */
const renaming =
  (dirs: boolean, flags: number | undefined): Change =>
  (call, table) => {
    if (call.ret < 0) return;
    const full = (dirArg: number, pathArg: number) => {
      const path = pathOf(call, pathArg);
      return path === undefined ? undefined : table.resolve(dirs ? int(call, dirArg) : AT_FDCWD, path);
    };
    const from = dirs ? full(0, 1) : full(0, 0);
    const to = dirs ? full(2, 3) : full(0, 1);
    if (from === undefined || to === undefined) return;
    table.rename(from, to, flags !== undefined && (low(call, flags) & RENAME_EXCHANGE) !== 0);
  };

/** Calls that change the table otherwise than by the descriptor they return. */
export const CHANGES: Readonly<Record<string, Change>> = {
  __proto__: null as never,
  close: (call, table) => {
    if (call.ret >= 0 || CLOSED_WITH.has(call.ret)) table.set(int(call, 0), undefined);
  },
  close_range: (call, table) => {
    if (call.ret < 0) return;
    const marks = (low(call, 2) & CLOSE_RANGE_CLOEXEC) !== 0;
    table.change(low(call, 0), low(call, 1), (descriptor) =>
      marks ? { ...descriptor, closeOnExec: true } : undefined,
    );
  },
  fcntl: fcntlChanges,
  fcntl64: fcntlChanges,
  ioctl,
  pipe: pair(0, () => "pipe", undefined),
  pipe2: pair(0, () => "pipe", 1),
  socketpair: pair(3, (call) => ({ socket: socketText(int(call, 0), int(call, 1), int(call, 2)) }), 1),
  connect: connected,
  bind: named((file, endpoint) => file.setLocal(withPort(endpoint))),
  getsockname: named((file, endpoint) => file.setLocal(withPort(endpoint) ?? file.local)),
  getpeername: named((file, endpoint) => {
    if (endpoint !== undefined) file.setPeer(endpoint);
  }),
  chdir: (call, table) => {
    if (call.ret < 0) return;
    const path = pathOf(call, 0);
    table.changeDirectory(path === undefined ? undefined : table.resolve(AT_FDCWD, path));
  },
  fchdir: (call, table) => {
    if (call.ret >= 0) table.changeDirectory(table.text(int(call, 0)));
  },
  rename: renaming(false, undefined),
  renameat: renaming(true, undefined),
  renameat2: renaming(true, 4),
  execve: exec,
  execveat: exec,
};

/**
 * Calls that the table must see to be right; a trace that shows others only still needs these. Not ioctl(2): too many are made
 * for the few that change what an exec closes.
 */
export const FILE_CALLS: readonly string[] = [
  ...new Set([...Object.keys(OPENERS), ...Object.keys(CHANGES)].filter((name) => name !== "ioctl")),
];
