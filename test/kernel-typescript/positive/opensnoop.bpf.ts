import { comm, i32, ktime, param, pid, ringbuf, str, struct, tracepoint, u32, u64, uid, userStr } from "skep/kernel";

export const targetPid = param(u32, 0);
export const Open = struct({ ts: u64, pid: u32, uid: u32, flags: i32, comm: str(16), file: str(256) });
export const opened = ringbuf(Open, { bytes: 1 << 20 });

export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  if (targetPid !== 0 && pid() !== targetPid) return;
  opened.emit({
    ts: ktime(),
    pid: pid(),
    uid: uid(),
    flags: i32(ctx.flags),
    comm: comm(),
    file: userStr(ctx.filename),
  });
});
