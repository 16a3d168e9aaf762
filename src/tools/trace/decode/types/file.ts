import { signalName } from "../../../../machine/proc/index.ts";
import { DNOTIFY, FCNTL, IOCTL, LEASE, OPEN, OPEN_ARM64, RESOLVE, SEALS } from "../constants/index.ts";
import { quote, textLength, textOf } from "../escape.ts";
import type { ArgumentType, DecodedCall } from "../model.ts";
import { captured, hex, int, isNull, low, pointer, viewOf } from "../words.ts";
import { octal } from "./basic.ts";

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
  const file = call.files.text(fd);
  return file === undefined ? String(fd) : `${fd}<${file}>`;
}

function fdJson(call: DecodedCall, fd: number): unknown {
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
    const device = Number(view.getBigUint64(process.arch === "arm64" ? 32 : 40, true));
    return `{st_mode=${modeText(mode)}, st_rdev=makedev(0x${((device >>> 8) & 0xfff).toString(16)}, 0x${(device & 0xff).toString(16)}), ...}`;
  }
  return `{st_mode=${modeText(mode)}, st_size=${view.getBigInt64(48, true)}, ...}`;
}

/** `struct statx` (linux/stat.h): mask 0, mode 28, size 40. */
function statxText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 48);
  if (view === undefined) return pointer(call, arg);
  const mode = modeText(view.getUint16(28, true));
  return `{stx_mask=0x${view.getUint32(0, true).toString(16)}, stx_mode=${mode}, stx_size=${view.getBigUint64(40, true)}, ...}`;
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

const F_DUPFD = 0;
const F_SETFD = 2;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const F_ADD_SEALS = 1033;

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
      return pointer(call, arg);
    default:
      return String(int(call, arg));
  }
}

/** Whether an fcntl command takes a third argument. */
export function fcntlTakesArgument(command: number): boolean {
  const takes = [
    F_DUPFD,
    F_SETFD,
    F_SETFL,
    F_DUPFD_CLOEXEC,
    F_ADD_SEALS,
    5,
    6,
    7,
    8,
    10,
    15,
    16,
    36,
    37,
    38,
    1024,
    1026,
    1027,
    1031,
  ];
  return takes.includes(command) || (command >= 1035 && command <= 1040);
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

function pairText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 8);
  if (view === undefined) return pointer(call, arg);
  const kind = call.name.startsWith("pipe") ? "pipe" : undefined;
  const one = (fd: number) => (kind === undefined ? String(fd) : `${fd}<${kind}>`);
  return `[${one(view.getInt32(0, true))}, ${one(view.getInt32(4, true))}]`;
}

/** Descriptors, paths, flags of open, and what calls about files fill in. */
export const FILE: Readonly<Record<string, ArgumentType>> = {
  fd: { text: (call, arg) => fdText(call, int(call, arg)), json: (call, arg) => fdJson(call, int(call, arg)) },
  dirfd: {
    text: (call, arg) => (int(call, arg) === AT_FDCWD ? "AT_FDCWD" : fdText(call, int(call, arg))),
    json: (call, arg) => (int(call, arg) === AT_FDCWD ? "AT_FDCWD" : fdJson(call, int(call, arg))),
  },
  path: { captures: (arg) => [{ arg, when: "enter", kind: "string" }], text: stringText, json: stringJson },
  oflags: { text: (call, arg) => openFlags(int(call, arg)) },
  how: { captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { const: 24 } }], text: howText },
  stat: { captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { const: 64 } }], text: statText },
  statx: { captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { const: 48 } }], text: statxText },
  entries: {
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true }, max: 256 }],
    text: entriesText,
  },
  pair: { captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { const: 8 } }], text: pairText },
  mode: { text: (call, arg) => modeText(low(call, arg) & 0xffff) },
  fcntlarg: { text: fcntlArgument },
  ioctl: { text: ioctlText },
};
