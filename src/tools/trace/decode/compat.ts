// 32-bit programs on a 64-bit kernel: other numbers, other names, and structures with other layouts.
import { type Argument, parseSignature, signatureWords } from "./signatures.ts";

/** Calls that only 32-bit programs have, and those whose arguments are others there. */
const TABLE: Readonly<Record<string, string>> = {
  __proto__: null as never,
  waitpid: "pid:int wstatus options:WAIT",
  umount: "target:path",
  mmap: "args:ptr",
  mmap2: "addr:ptr length:uint prot:PROT flags:MAP fd page_offset:xint",
  select: "args:ptr",
  socketcall: "call:int args:ptr",
  ipc: "call:uint first:int second:int third:xint ptr fifth:xint",
  nice: "increment:int",
  signal: "signum:sig handler:ptr",
  sigaction: "signum:sig act:ptr oldact:ptr",
  sigreturn: "",
  rt_sigreturn: "",
  _llseek: "fd offset_high:xint offset_low:xint result:ptr whence:WHENCE",
  pread64: "fd buf:out count:uint offset_low:uint offset_high:uint",
  pwrite64: "fd buf:in.2 count:uint offset_low:uint offset_high:uint",
  preadv: "fd iov:ptr iovcnt:uint offset_low:uint offset_high:uint",
  pwritev: "fd iov:ptr iovcnt:uint offset_low:uint offset_high:uint",
  truncate64: "path length_low:uint length_high:uint",
  ftruncate64: "fd length_low:uint length_high:uint",
  fallocate: "fd mode:FALLOCATE offset_low:uint offset_high:uint len_low:uint len_high:uint",
  readahead: "fd offset_low:uint offset_high:uint count:uint",
  fadvise64: "fd offset_low:uint offset_high:uint len:uint advice:FADVISE",
  fadvise64_64: "fd offset_low:uint offset_high:uint len_low:uint len_high:uint advice:FADVISE",
  sync_file_range: "fd offset_low:uint offset_high:uint nbytes_low:uint nbytes_high:uint flags:SYNC_RANGE",
  statfs64: "path size:uint buf:ptr",
  fstatfs64: "fd size:uint buf:ptr",
  set_thread_area: "u_info:ptr",
};

/** Names of the same call with other types. */
const SAME: Readonly<Record<string, string>> = {
  __proto__: null as never,
  fstatat64: "newfstatat",
  _newselect: "select",
  ugetrlimit: "getrlimit",
  oldstat: "stat",
  oldlstat: "lstat",
  oldfstat: "fstat",
};

/** Types that look alike to 32-bit programs, or are read in a way that does not matter. */
const ALIKE = `fd dirfd path oflags how statx entries pair mode oct makedev id sig int uint xint hex ptr socktype protocol level optname
  in out outarg pathout saddr saddrout intout intin optin optout sigset sigsetout wstatus cloneflags futexop pollfds
  epevent epevents argv fdset uname clock policy persona ptrace ipckey ipcget shmget fcntlarg ioctl`;
let alike: ReadonlySet<string> | undefined;
/** Also in calls that were made for times of 64 bits. */
const TIMES = new Set(["ts", "tsout", "tsleft", "its", "itsout", "utimes", "futexval"]);
const NARROW: Readonly<Record<string, string>> = { long: "int", ulong: "uint" };

const known = new Map<string, readonly Argument[] | undefined>();

/** The arguments of a 32-bit program's call by its name there; undefined for one that no table has. */
export function compatSignatureOf(call: string): readonly Argument[] | undefined {
  if (!known.has(call)) known.set(call, make(call));
  return known.get(call);
}

function make(call: string): readonly Argument[] | undefined {
  const own = TABLE[call];
  if (own !== undefined) return parseSignature(own);
  const wideTimes = /_time64$|^(clock|timer|timerfd)_\w+64$/.test(call);
  const native = [call, SAME[call], call.replace(/(_time64|64|32)$/, "")].find(
    (name) => name !== undefined && signatureWords(name) !== undefined,
  );
  if (native === undefined) return undefined;
  const words = (signatureWords(native) as string).split(" ").filter(Boolean);
  return parseSignature(words.map((word) => narrow(word, wideTimes)).join(" "));
}

function narrow(word: string, wideTimes: boolean): string {
  const colon = word.indexOf(":");
  const [name, type] = colon < 0 ? [word, word] : [word.slice(0, colon), word.slice(colon + 1)];
  const head = type.replace(/\..*$/, "");
  alike ??= new Set(ALIKE.split(/\s+/));
  if (/^[A-Z]/.test(head) || alike.has(head) || (wideTimes && TIMES.has(head))) return word;
  return `${name}:${NARROW[head] ?? "ptr"}`;
}
