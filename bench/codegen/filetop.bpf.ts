// Files by how much is read from them and written to them: bcc's filetop.

import type { file } from "btf:vmlinux";
import { bool, comm, hash, kernelStr, kprobe, param, pid, str, struct, tid, u8, u32, u64 } from "skep/kernel";

export const targetPid = param(u32, 0);
export const regularFileOnly = param(bool, true);

const FileId = struct({ inode: u64, dev: u32, rdev: u32, pid: u32, tid: u32 });
const FileStat = struct({
  reads: u64,
  readBytes: u64,
  writes: u64,
  writeBytes: u64,
  pid: u32,
  tid: u32,
  filename: str(4096),
  comm: str(16),
  type: u8,
});
export const entries = hash(FileId, FileStat, { max: 10_240 });

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFSOCK = 0o140000;
const LETTER = { regular: 0x52, socket: 0x53, other: 0x4f };

function moved(file: file, bytes: u64, isWrite: boolean) {
  if (targetPid !== 0 && pid() !== targetPid) return;
  const { i_mode: mode, i_ino: inode, i_rdev: rdev } = file.f_inode;
  const format = mode & S_IFMT;
  if (regularFileOnly && format !== S_IFREG) return;
  const key = { inode, dev: file.f_inode.i_sb.s_dev, rdev, pid: pid(), tid: tid() };
  const entry = entries.getOrInsert(key);
  if (!entry) return;
  // A new entry is all zeros.
  if (entry.tid === 0) {
    entry.pid = pid();
    entry.tid = tid();
    entry.comm = comm();
    entry.filename = kernelStr(file.f_path.dentry.d_name.name);
    entry.type = format === S_IFREG ? LETTER.regular : format === S_IFSOCK ? LETTER.socket : LETTER.other;
  }
  if (isWrite) {
    entry.writes++;
    entry.writeBytes += bytes;
  } else {
    entry.reads++;
    entry.readBytes += bytes;
  }
}

export const read = kprobe("vfs_read", (ctx) => moved(ctx.args[0], ctx.args[2], false));
export const written = kprobe("vfs_write", (ctx) => moved(ctx.args[0], ctx.args[2], true));
