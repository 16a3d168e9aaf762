// One source for kernels that call things differently.
import { counter, exists, pid, task, tracepoint, u32, u64 } from "skep/kernel";

export const states = counter(u32);
export const execs = counter(u64);

function state(): u32 {
  return exists(task().__state) ? task().__state : u32(task().state);
}

export const onExec = tracepoint("sched:sched_process_exec", (ctx) => {
  states.inc(state());
  if (exists(ctx.exec_id)) execs.inc(ctx.exec_id);
  else execs.inc(pid());
  if (exists("vfs_read") && !exists("sched:sched_no_more")) execs.inc(0);
});
