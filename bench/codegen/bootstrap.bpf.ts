// Programs that begin and end, and how long they lived: libbpf-bootstrap's bootstrap.
import {
  bool,
  comm,
  hash,
  i32,
  ktime,
  param,
  pid,
  ringbuf,
  str,
  struct,
  task,
  tid,
  tracepoint,
  u32,
  u64,
} from "skep/kernel";

export const minDurationNs = param(u64, 0);

const Event = struct({
  pid: u32,
  ppid: i32,
  exitCode: u32,
  durationNs: u64,
  comm: str(16),
  filename: str(127),
  exitEvent: bool,
});
const started = hash(u32, u64, { max: 8192 });
export const events = ringbuf(Event, { bytes: 256 * 1024 });

export const executed = tracepoint("sched:sched_process_exec", (ctx) => {
  started.set(pid(), ktime());
  if (minDurationNs !== 0) return;
  events.emit({
    pid: pid(),
    ppid: task().real_parent.tgid,
    exitCode: 0,
    durationNs: 0,
    comm: comm(),
    filename: ctx.filename,
    exitEvent: false,
  });
});

export const ended = tracepoint("sched:sched_process_exit", () => {
  if (pid() !== tid()) return;
  const start = started.get(pid());
  if (start === undefined && minDurationNs !== 0) return;
  const durationNs = start === undefined ? 0 : ktime() - start;
  started.delete(pid());
  if (minDurationNs !== 0 && durationNs < minDurationNs) return;
  events.emit({
    pid: pid(),
    ppid: task().real_parent.tgid,
    exitCode: (task().exit_code >> 8) & 0xff,
    durationNs,
    comm: comm(),
    filename: "",
    exitEvent: true,
  });
});
