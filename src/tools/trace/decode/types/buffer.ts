import { bufferJson, quote, textOf } from "../escape.ts";
import type { ArgumentType, CapturedBytes, DecodedCall } from "../model.ts";
import { captured, failed, hex, isNull, pointer, unsigned, viewOf } from "../words.ts";
import { stringText } from "./file.ts";
import { sockaddrText } from "./network.ts";

/** As many bytes of a buffer as a line shows. */
const SHOWN = 40;

/** The beginning of a buffer, and `...` when there is more. */
export function bufferText(buffer: CapturedBytes): string {
  const shown = Math.min(SHOWN, buffer.bytes.length);
  return `${quote(buffer.bytes, shown)}${buffer.length > shown ? "..." : ""}`;
}

function input(lengthArg: number): ArgumentType {
  return {
    captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { arg: lengthArg } }],
    text: (call, arg) => {
      const buffer = captured(call, arg);
      if (buffer !== undefined) return bufferText(buffer);
      return !isNull(call, arg) && unsigned(call, lengthArg) === 0 ? '""' : pointer(call, arg);
    },
    json: (call, arg) => bytesJson(call, arg, unsigned(call, lengthArg) === 0),
  };
}

/**
 * What the call wrote into the caller's buffer: as many bytes as it returned, and no more than there was room for, as a
 * call may return how much there would be (recv(2) with MSG_TRUNC, getxattr(2) with size 0).
 */
function output(roomArg: number): ArgumentType {
  return {
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true } }],
    text: (call, arg) => {
      const buffer = written(call, arg, roomArg);
      if (buffer !== undefined) return bufferText(buffer);
      return !isNull(call, arg) && call.ret === 0 && !call.unfinished ? '""' : pointer(call, arg);
    },
    json: (call, arg) => {
      const buffer = written(call, arg, roomArg);
      if (buffer !== undefined) return bufferJson(buffer);
      if (isNull(call, arg)) return null;
      return call.ret === 0 && !call.unfinished ? { data: "", length: 0 } : hex(call, arg);
    },
  };
}

function written(call: DecodedCall, arg: number, roomArg: number): CapturedBytes | undefined {
  const buffer = captured(call, arg);
  const room = unsigned(call, roomArg);
  if (buffer === undefined || buffer.length <= room) return buffer;
  return room === 0 ? undefined : { ...buffer, bytes: buffer.bytes.subarray(0, room), length: room };
}

/** A buffer; `empty` says that there was one of no bytes, of which nothing is copied. */
export function bytesJson(call: DecodedCall, arg: number, empty = false): unknown {
  const buffer = captured(call, arg);
  if (buffer !== undefined) return bufferJson(buffer);
  if (isNull(call, arg)) return null;
  return empty ? { data: "", length: 0 } : hex(call, arg);
}

/** A path that the call fills in (readlink(2), getcwd(2)). */
const outputPath: ArgumentType = {
  captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true }, max: 256 }],
  text: (call, arg) => {
    const buffer = captured(call, arg);
    if (buffer === undefined) return pointer(call, arg);
    const { length } = buffer.bytes;
    const end = length > 0 && buffer.bytes[length - 1] === 0 ? length - 1 : length;
    return `${quote(buffer.bytes, end)}${buffer.length > length ? "..." : ""}`;
  },
  json: (call, arg) => {
    const buffer = captured(call, arg);
    return buffer === undefined ? bytesJson(call, arg) : textOf(buffer.bytes).replace(/\0$/, "");
  },
};

/** One `struct iovec` (readv(2)): base, then length. */
function vectorText(call: DecodedCall, arg: number, count: number): string {
  const vector = captured(call, arg, 0);
  const view = viewOf(vector, 16);
  if (vector === undefined || view === undefined) return count === 0 ? "[]" : pointer(call, arg);
  const shown = Math.min(count, Math.floor(vector.bytes.length / 16));
  const first = captured(call, arg, 2);
  const parts: string[] = [];
  for (let i = 0; i < shown; i++) {
    const data =
      i === 0 && first !== undefined ? bufferText(first) : `0x${view.getBigUint64(16 * i, true).toString(16)}`;
    parts.push(`{iov_base=${data}, iov_len=${view.getBigUint64(16 * i + 8, true)}}`);
  }
  if (shown < count) parts.push("...");
  return `[${parts.join(", ")}]`;
}

function vector(when: "enter" | "exit", countArg: number): ArgumentType {
  return {
    captures: (arg) => [{ arg, when, kind: "iov", length: { arg: countArg } }],
    text: (call, arg) => vectorText(call, arg, unsigned(call, countArg)),
  };
}

/** `struct msghdr` (recvmsg(2)): name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48. */
function messageText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg, 0), 56);
  if (view === undefined) return pointer(call, arg);
  const name = captured(call, arg, 1);
  const data = captured(call, arg, 2);
  const parts = [`msg_name=${name === undefined ? "NULL" : sockaddrText(name.bytes)}`];
  const count = Number(view.getBigUint64(24, true));
  parts.push(
    `msg_iov=[${count === 0 ? "" : data === undefined ? "..." : bufferText(data)}${count > 1 ? ", ..." : ""}]`,
  );
  parts.push(`msg_iovlen=${count}`);
  const control = Number(view.getBigUint64(40, true));
  if (control > 0) parts.push(`msg_controllen=${control}`);
  return `{${parts.join(", ")}}`;
}

/** Strings of a vector, e.g. a program's arguments. The kernel side copies 24 and says so when there are more. */
function strings(
  call: DecodedCall,
  arg: number,
): { readonly shown: CapturedBytes[]; readonly more: boolean } | undefined {
  const all = call.captures.filter((c) => c.arg === arg);
  if (all.length === 0 || all.some((c) => c.fault)) return undefined;
  const more = all.some((c) => c.truncated && c.bytes.length === 0);
  return { shown: all.filter((c) => !(c.truncated && c.bytes.length === 0)), more };
}

export const BUFFER: Readonly<Record<string, (parameter: number) => ArgumentType>> = {
  __proto__: null as never,
  in: input,
  out: output,
  pathout: () => outputPath,
  iovin: (count) => vector("enter", count),
  iovout: (count) => vector("exit", count),
  msgin: () => ({ captures: (arg) => [{ arg, when: "enter", kind: "msghdr" }], text: messageText }),
  msgout: () => ({ captures: (arg) => [{ arg, when: "exit", kind: "msghdr" }], text: messageText }),
  argv: () => ({
    captures: (arg) => [{ arg, when: "enter", kind: "argv" }],
    text: (call, arg) => {
      const vector = strings(call, arg);
      if (vector === undefined) return pointer(call, arg);
      const words = vector.shown.map((word) => stringText(call, arg, word.index));
      return `[${words.join(", ")}${vector.more ? ", ..." : ""}]`;
    },
    json: (call, arg) => {
      const vector = strings(call, arg);
      if (vector === undefined) return isNull(call, arg) ? null : hex(call, arg);
      return vector.shown.map((word) => textOf(word.bytes).replace(/\0[\s\S]*$/, ""));
    },
  }),
  /** Filled in by a call that has no length to tell, such as getrandom; nothing when it failed. */
  outarg: (lengthArg) => ({
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { arg: lengthArg } }],
    text: (call, arg) => {
      const buffer = failed(call) ? undefined : captured(call, arg);
      return buffer === undefined ? pointer(call, arg) : bufferText(buffer);
    },
    json: (call, arg) => bytesJson(call, arg),
  }),
};
