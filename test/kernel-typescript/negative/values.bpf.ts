// What numbers, texts, structs and pointers cannot be used for.
import {
  array,
  be16,
  bool,
  bytes,
  comm,
  hash,
  type i32,
  type i64,
  kernelStr,
  ktime,
  pid,
  readUser,
  ringbuf,
  str,
  struct,
  task,
  tracepoint,
  u8,
  u16,
  u32,
  u64,
  userStr,
} from "skep/kernel";

const E = struct({ small: u8, port: be16, ok: bool, name: str(32), raw: bytes(4), list: array(u32, 3) });
const out = ringbuf(E);
const names = hash(str(16), u64);

function half(n: u32): u32 {
  return n / 2;
}

export const run = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  // @ts-expect-error TS2322: a u32 is no u8
  const a: u8 = pid();
  // @ts-expect-error TS2322: a u64 is no i64
  const b: i64 = ktime();
  // @ts-expect-error TS2322: an i32 is no u64
  const c: u64 = ctx.flags;
  // @ts-expect-error TS2322: a u32 is no i32
  const d: i32 = pid();
  // @ts-expect-error TS2322: a number is no text
  const e: string = pid();
  // @ts-expect-error TS2322: a number is no boolean
  const f: boolean = pid();
  // @ts-expect-error TS2322: texts are not added up with numbers into numbers
  const g: u32 = comm() + 1;
  // @ts-expect-error TS2345: a text of 64 bytes is none of 16
  names.get(userStr(ctx.filename, 64));
  // @ts-expect-error TS2345: a pointer of the process is no text
  names.get(ctx.filename);
  // @ts-expect-error TS2551: the context has no such field
  ctx.file_name;
  // @ts-expect-error TS2540: the context is read only
  ctx.flags = 1;
  // @ts-expect-error TS2339: a struct of the kernel has no such field
  task().parent_pid;
  // @ts-expect-error TS2365: a struct of the kernel is no number
  pid() + task();
  // @ts-expect-error TS2345: an address of the process is none of the kernel
  kernelStr(ctx.filename);
  // @ts-expect-error TS2345: a struct of the kernel is no address of the process
  userStr(task());
  // @ts-expect-error TS2345: what is read is said by a type
  readUser(ctx.filename, 4);
  // @ts-expect-error TS2345: a function takes what it declares
  half(ktime());
  // @ts-expect-error TS2554: a function takes all that it declares
  half();
  // @ts-expect-error TS2304: there is no such helper
  getpid();
  // @ts-expect-error TS2365: bigints are not mixed with numbers
  ktime() + 1n;
  // @ts-expect-error TS2367: numbers and texts are never the same
  if (pid() === comm()) return;
  // @ts-expect-error TS2588: a constant is not assigned to
  a = 1;
  let h: u32;
  // @ts-expect-error TS2454: a variable has a value before it is read
  const k = h + 1;
  // @ts-expect-error TS2322: `raw` has four bytes that are numbers
  out.emit({ small: 1, port: 80, ok: true, name: "x", raw: ["a"], list: [1, 2, 3] });
  // @ts-expect-error TS2322: `ok` is a boolean
  out.emit({ small: 1, port: 80, ok: 1, name: "x", raw: [1, 2, 3, 4], list: [1, 2, 3] });
  const port: u16 = u16(ctx.flags);
  return b + c + d + g + k + port + (f ? 1 : 0) + e.length;
});
