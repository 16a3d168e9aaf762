/** The words of `skep/kernel` that are values: what one-liners need not import. */
export const WORDS: ReadonlySet<string> = new Set(
  [
    // types
    "u8 u16 u32 u64 i8 i16 i32 i64 u64n i64n be16 be32 be64 bool str bytes array struct",
    // maps, rings, aggregations, variables
    "hash arrayMap ringbuf stackTraces taskStorage counter sum avg min max histogram linear param global",
    // programs
    "tracepoint rawTracepoint tpBtf kprobe kretprobe uprobe uretprobe usdt fentry fexit lsm profile interval iter syscall xdp",
    // functions
    "pid tid uid gid comm ktime ktimeBoot jiffies cpu numaNode cgroupId task random signal signalThread cookie funcIp",
    "userStr kernelStr readUser readKernel cell ntohs ntohl ntohll htons htonl htonll abs clz32 log2 range atMost print cell",
    // constants
    "XDP EPERM ENOENT EINTR EIO EAGAIN ENOMEM EACCES EBUSY EEXIST EINVAL ENOSYS ECONNREFUSED",
  ]
    .join(" ")
    .split(" "),
);
