import type { ArgumentType, Capture, CapturedBytes, DecodedCall } from "../model.ts";
import { captured, pointer, viewOf } from "../words.ts";

type Show = (view: DataView, at: number) => string;

const timespec: Show = (view, at) =>
  `{tv_sec=${view.getBigInt64(at, true)}, tv_nsec=${view.getBigInt64(at + 8, true)}}`;
const timeval: Show = (view, at) => `{tv_sec=${view.getBigInt64(at, true)}, tv_usec=${view.getBigInt64(at + 8, true)}}`;
const pairOf =
  (show: Show, first: string, second: string): Show =>
  (view, at) =>
    `{${first}=${show(view, at)}, ${second}=${show(view, at + 16)}}`;
const both =
  (show: Show): Show =>
  (view, at) =>
    `[${show(view, at)}, ${show(view, at + 16)}]`;

/** utimensat(2): the nanoseconds may stand for "now" or "leave it". */
const utime: Show = (view, at) => {
  const ns = view.getBigInt64(at + 8, true);
  return ns === 0x3fffffffn ? "UTIME_NOW" : ns === 0x3ffffffen ? "UTIME_OMIT" : timespec(view, at);
};
const limit = (value: bigint): string => (value === 0xffffffffffffffffn ? "RLIM64_INFINITY" : readable(value));
/** Whole KiB as a product, as limits are usually thought of. */
const readable = (value: bigint): string =>
  value > 1024n && value % 1024n === 0n ? `${value / 1024n}*1024` : String(value);
const rlimit: Show = (view, at) =>
  `{rlim_cur=${limit(view.getBigUint64(at, true))}, rlim_max=${limit(view.getBigUint64(at + 8, true))}}`;
const loads: Show = (view, at) => `{uptime=${view.getBigInt64(at, true)}, ...}`;
const usage: Show = (view, at) => `{ru_utime=${timeval(view, at)}, ru_stime=${timeval(view, at + 16)}, ...}`;

function structure(size: number, when: Capture["when"], show: Show): ArgumentType {
  return {
    captures: (arg) => [{ arg, when, kind: "bytes", length: { const: size } }],
    text: (call, arg) => structureText(call, arg, captured(call, arg), size, show),
  };
}

function structureText(
  call: DecodedCall,
  arg: number,
  got: CapturedBytes | undefined,
  size: number,
  show: Show,
): string {
  const view = viewOf(got, size);
  return view === undefined ? pointer(call, arg) : show(view, 0);
}

/** EINTR, and what the kernel makes of it where the call can be gone on with. */
const INTERRUPTED = new Set([-4, -516]);

/** Structures of a fixed size with times, limits and the like; `…out` is filled in by the call. */
export const TIME: Readonly<Record<string, ArgumentType>> = {
  __proto__: null as never,
  ts: structure(16, "enter", timespec),
  tsout: structure(16, "exit", timespec),
  tsleft: {
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { const: 16 }, evenFailed: true }],
    // What was left of a sleep is told when a signal ends it, only.
    text: (call, arg) =>
      structureText(call, arg, INTERRUPTED.has(call.ret) ? captured(call, arg) : undefined, 16, timespec),
  },
  tv: structure(16, "enter", timeval),
  tvout: structure(16, "exit", timeval),
  its: structure(32, "enter", pairOf(timespec, "it_interval", "it_value")),
  itsout: structure(32, "exit", pairOf(timespec, "it_interval", "it_value")),
  itv: structure(32, "enter", pairOf(timeval, "it_interval", "it_value")),
  itvout: structure(32, "exit", pairOf(timeval, "it_interval", "it_value")),
  utimes: structure(32, "enter", both(utime)),
  tvs: structure(32, "enter", both(timeval)),
  rlim: structure(16, "enter", rlimit),
  rlimout: structure(16, "exit", rlimit),
  sysinfo: structure(112, "exit", loads),
  rusage: structure(144, "exit", usage),
};
