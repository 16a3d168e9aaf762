import { bool, comm, EPERM, hash, i32, kernelStr, lsm, pid, ringbuf, str, struct, task, u32, u64 } from "skep/kernel";

export const protectedInodes = hash(u64, bool, { max: 1024 });
export const allowed = hash(str(16), bool, { max: 64 });
export const denied = ringbuf(struct({ pid: u32, ppid: i32, comm: str(16), name: str(64) }));

export const fileOpen = lsm("file_open", (file) => {
  if (!protectedInodes.has(file.f_inode.i_ino)) return 0;
  if (allowed.has(comm())) return 0;
  denied.emit({
    pid: pid(),
    ppid: task().real_parent.tgid,
    comm: comm(),
    name: kernelStr(file.f_path.dentry.d_name.name),
  });
  return -EPERM;
});
