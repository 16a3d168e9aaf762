/** The words of `skep/kernel` that declare programs. */
export const PROGRAM_WORDS: ReadonlySet<string> = new Set(
  "tracepoint rawTracepoint tpBtf kprobe kretprobe uprobe uretprobe usdt fentry fexit lsm profile interval iter syscall xdp".split(
    " ",
  ),
);

/** The words of `skep/kernel` that are values: what one-liners need not import. */
export const WORDS: ReadonlySet<string> = new Set(
  [
    // types
    "u8 u16 u32 u64 i8 i16 i32 i64 u64n i64n be16 be32 be64 bool str bytes array struct",
    // maps, rings, aggregations, variables
    "hash arrayMap ringbuf stackTraces taskStorage progArray cgroupArray counter sum avg min max histogram linear param global",
    ...PROGRAM_WORDS,
    // functions
    "pid tid pidTgid nsPidTgid uid gid comm ktime ktimeBoot jiffies cpu numaNode cgroupId task taskAddress taskRegisters random signal signalThread cookie funcIp",
    "userStr kernelStr readUser readKernel userStrInto kernelStrInto readUserInto readKernelInto zeros cell ntohs ntohl ntohll htons htonl htonll abs clz32 log2 range atMost exists print",
    // constants
    "XDP EPERM ENOENT EINTR EIO EAGAIN ENOMEM EACCES EBUSY EEXIST EINVAL ENOSYS ECONNREFUSED",
  ]
    .join(" ")
    .split(" "),
);

/** The words of `skep/kernel` that are types alone. */
export const TYPE_WORDS: ReadonlySet<string> = new Set(
  [
    "Address AddressScalar AggregateOptions AnyType ArgumentsContext ArgumentsOf ArrayMap ArrayOptions Average Bytes Cell CgroupArray Counter",
    "Decoded Fields Fixed Global HashMap Histogram HistogramOptions Iterators Kernel KernelFunctions KernelProgram KernelPtr",
    "KernelType KernelTypes Linear LinearOptions LsmHooks MapOptions Maximum Minimum NotDeclared Packet Param PerCpuArrayMap",
    "PerCpuHashMap PerfEventContext ProgramArray ProgramResult RangeOptions RawTracepoints Records Ref ReturnContext Ring RingOptions Scalar Schedule Slot",
    "StackTraces Str Sum TaskStorage Tracepoints Type UprobeContext UsdtContext UserPtr WriteMode",
  ]
    .join(" ")
    .split(" "),
);

/** Words that only the compiler itself writes: the type of a one-liner's keys, which the first use says. */
export const OWN_WORDS: ReadonlySet<string> = new Set(["infer"]);
