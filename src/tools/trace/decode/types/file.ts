import { signalName } from "../../../../machine/proc/index.ts";
import {
  DNOTIFY,
  FCNTL,
  FILE_SYSTEM,
  IOCTL,
  LEASE,
  OPEN,
  OPEN_ARM64,
  RESOLVE,
  SEALS,
  STATX,
} from "../constants/index.ts";
import { quote, textLength, textOf } from "../escape.ts";
import type { ArgumentType, DecodedCall } from "../model.ts";
import { captured, hex, int, isNull, low, pointer, viewOf } from "../words.ts";
import { constant, deviceText, octal } from "./basic.ts";
import { socketText } from "./network.ts";

export const AT_FDCWD = -100;
const OPEN_FLAGS = process.arch === "arm64" ? OPEN_ARM64 : OPEN;
const ACCESS_MODES = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"] as const;

export function openFlags(value: number): string {
  const mode = ACCESS_MODES[value & 3] as string;
  const rest = value & ~3;
  return rest === 0 ? mode : `${mode}|${OPEN_FLAGS.text(rest)}`;
}

const O_CREAT = 0x40;
const O_TMPFILE_BIT = 0x400000;

/** Whether open(2) looks at its mode. */
export function openFlagsWantMode(flags: number): boolean {
  return (flags & (O_CREAT | O_TMPFILE_BIT)) !== 0;
}

/** A descriptor with what it is open on: `3</etc/passwd>`. */
export function fdText(call: DecodedCall, fd: number): string {
  const file = call.files.label(fd);
  return file === undefined ? String(fd) : `${fd}<${file}>`;
}

export function fdJson(call: DecodedCall, fd: number): unknown {
  const file = call.files.text(fd);
  return file === undefined ? { fd } : { fd, path: file };
}

/** The string an argument points to: in quotes, or its address when it could not be read. */
export function stringText(call: DecodedCall, arg: number, index = 0): string {
  const string = captured(call, arg, index);
  if (string === undefined) return pointer(call, arg);
  const text = quote(string.bytes, textLength(string.bytes));
  return string.truncated ? `${text}...` : text;
}

function stringJson(call: DecodedCall, arg: number): unknown {
  const string = captured(call, arg);
  if (string !== undefined) return textOf(string.bytes, textLength(string.bytes));
  return isNull(call, arg) ? null : hex(call, arg);
}

const FILE_TYPES = [
  "0",
  "S_IFIFO",
  "S_IFCHR",
  "03",
  "S_IFDIR",
  "05",
  "S_IFBLK",
  "07",
  "S_IFREG",
  "011",
  "S_IFLNK",
  "013",
  "S_IFSOCK",
];

export function modeText(mode: number): string {
  const type = FILE_TYPES[mode >>> 12] ?? `0${(mode >>> 12).toString(8)}`;
  return mode >>> 12 === 0 ? octal(mode & 0o7777) : `${type}|${octal(mode & 0o7777)}`;
}

/** `struct stat` as the kernel fills it on x86-64 and arm64 (asm/stat.h, asm-generic/stat.h). */
function statText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 64);
  if (view === undefined) return pointer(call, arg);
  const mode = view.getUint32(process.arch === "arm64" ? 16 : 24, true);
  const type = (mode >>> 12) & 0xf;
  if (type === 2 || type === 6) {
    const device = view.getUint32(process.arch === "arm64" ? 32 : 40, true);
    return `{st_mode=${modeText(mode)}, st_rdev=${deviceText(device)}, ...}`;
  }
  return `{st_mode=${modeText(mode)}, st_size=${view.getBigInt64(48, true)}, ...}`;
}

/** `struct statx` (linux/stat.h): mask 0, mode 28, size 40. */
function statxText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 48);
  if (view === undefined) return pointer(call, arg);
  const mode = modeText(view.getUint16(28, true));
  return `{stx_mask=${STATX.text(view.getUint32(0, true))}, stx_mode=${mode}, stx_size=${view.getBigUint64(40, true)}, ...}`;
}

/** `struct statfs` (statfs(2)): type, bsize, blocks, bfree, bavail, each of 8 bytes. */
function statfsText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 40);
  if (view === undefined) return pointer(call, arg);
  const type = view.getUint32(0, true);
  const [size, blocks, free, available] = [8, 16, 24, 32].map((at) => view.getBigUint64(at, true));
  const name = FILE_SYSTEM.name(type) ?? `0x${type.toString(16)}`;
  return `{f_type=${name}, f_bsize=${size}, f_blocks=${blocks}, f_bfree=${free}, f_bavail=${available}, ...}`;
}

/** `struct linux_dirent64` (getdents(2)): reclen 16, type 18, name 19. */
function entriesText(call: DecodedCall, arg: number): string {
  const got = captured(call, arg);
  if (got === undefined) return pointer(call, arg);
  const view = viewOf(got, 19);
  const names: string[] = [];
  let at = 0;
  while (view !== undefined && at + 19 < got.bytes.length) {
    const size = view.getUint16(at + 16, true);
    if (size < 20 || at + size > got.bytes.length) break;
    const name = got.bytes.subarray(at + 19, at + size);
    const end = name.indexOf(0);
    names.push(quote(name, end < 0 ? name.length : end));
    at += size;
  }
  return `[${names.join(", ")}${at < got.length ? `${names.length > 0 ? ", " : ""}...` : ""}]`;
}

/** `struct open_how` (openat2(2)): flags, mode, resolve, each a u64. */
function howText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 24);
  if (view === undefined) return pointer(call, arg);
  const flags = view.getUint32(0, true);
  const mode = view.getUint32(8, true);
  return `{flags=${openFlags(flags)}${mode === 0 ? "" : `, mode=${octal(mode)}`}, resolve=${RESOLVE.text(view.getUint32(16, true))}}`;
}

function fcntlArgument(call: DecodedCall, arg: number): string {
  switch (FCNTL.name(int(call, 1))) {
    case "F_SETFD":
      return low(call, arg) === 1 ? "FD_CLOEXEC" : hex(call, arg);
    case "F_SETFL":
      return openFlags(int(call, arg));
    case "F_SETSIG":
      return int(call, arg) === 0 ? "0" : signalName(int(call, arg));
    case "F_SETLEASE":
      return LEASE.text(int(call, arg));
    case "F_NOTIFY":
      return DNOTIFY.text(int(call, arg));
    case "F_ADD_SEALS":
      return SEALS.text(int(call, arg));
    case "F_GETLK":
    case "F_SETLK":
    case "F_SETLKW":
    case "F_OFD_GETLK":
    case "F_OFD_SETLK":
    case "F_OFD_SETLKW":
    case "F_GETOWN_EX":
    case "F_SETOWN_EX":
    case "F_GET_RW_HINT":
    case "F_SET_RW_HINT":
    case "F_GET_FILE_RW_HINT":
    case "F_SET_FILE_RW_HINT":
      return pointer(call, arg);
    case "F_DUPFD_QUERY":
      return fdText(call, int(call, arg));
    case undefined:
      return isNull(call, arg) ? "0" : hex(call, arg);
    default:
      return String(int(call, arg));
  }
}

const WITHOUT_ARGUMENT = new Set([
  "F_GETFD",
  "F_GETFL",
  "F_GETOWN",
  "F_GETSIG",
  "F_GETLEASE",
  "F_GETPIPE_SZ",
  "F_GET_SEALS",
  "F_CREATED_QUERY",
]);

/** Whether an fcntl command takes a third argument; one that is not known may. */
export function fcntlTakesArgument(command: number): boolean {
  return !WITHOUT_ARGUMENT.has(FCNTL.name(command) ?? "");
}

const IOC_DIRECTIONS = ["_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"] as const;

/** The request's name, or its parts as `_IOC()` puts them together (asm-generic/ioctl.h). */
function ioctlText(call: DecodedCall, arg: number): string {
  const request = low(call, arg);
  const name = IOCTL.name(request);
  if (name !== undefined) return name;
  const part = (value: number) => `0x${value.toString(16)}`;
  return `_IOC(${IOC_DIRECTIONS[request >>> 30]}, ${part((request >>> 8) & 0xff)}, ${part(request & 0xff)}, ${part((request >>> 16) & 0x3fff)})`;
}

/** What both ends of a new pipe or pair are open on. */
function pairKind(call: DecodedCall): string {
  return call.name.startsWith("pipe") ? "pipe" : socketText(int(call, 0), int(call, 1), int(call, 2));
}

function pairText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 8);
  if (view === undefined) return pointer(call, arg);
  return `[${view.getInt32(0, true)}<${pairKind(call)}>, ${view.getInt32(4, true)}<${pairKind(call)}>]`;
}

function pairJson(call: DecodedCall, arg: number): unknown {
  const view = viewOf(captured(call, arg), 8);
  if (view === undefined) return isNull(call, arg) ? null : hex(call, arg);
  return [0, 4].map((at) => ({ fd: view.getInt32(at, true), path: pairKind(call) }));
}

/** Descriptors, paths, flags of open, and what calls about files fill in. */
export const FILE: Readonly<Record<string, ArgumentType>> = {
  __proto__: null as never,
  fd: { text: (call, arg) => fdText(call, int(call, arg)), json: (call, arg) => fdJson(call, int(call, arg)) },
  dirfd: {
    text: (call, arg) => (int(call, arg) === AT_FDCWD ? "AT_FDCWD" : fdText(call, int(call, arg))),
    json: (call, arg) => (int(call, arg) === AT_FDCWD ? "AT_FDCWD" : fdJson(call, int(call, arg))),
  },
  path: { captures: (arg) => [{ arg, when: "enter", kind: "string" }], text: stringText, json: stringJson },
  oflags: { text: (call, arg) => openFlags(int(call, arg)) },
  how: { captures: constant(24, "enter"), text: howText },
  stat: { captures: constant(64, "exit"), text: statText },
  statx: { captures: constant(48, "exit"), text: statxText },
  statfs: { captures: constant(40, "exit"), text: statfsText },
  entries: {
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true }, max: 256 }],
    text: entriesText,
  },
  pair: { captures: constant(8, "exit"), text: pairText, json: pairJson },
  mode: { text: (call, arg) => modeText(low(call, arg) & 0xffff) },
  fcntlarg: { text: fcntlArgument },
  ioctl: { text: ioctlText },
};
