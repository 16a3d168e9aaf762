/** The system calls Skep itself makes, by architecture (asm/unistd_64.h; include/uapi/asm-generic/unistd.h). */
const NUMBERS = {
  x64: {
    close: 3,
    mmap: 9,
    munmap: 11,
    ioctl: 16,
    fcntl: 72,
    perf_event_open: 298,
    prlimit64: 302,
    bpf: 321,
    setsockopt: 54,
    socket: 41,
    sendto: 44,
    recvfrom: 45,
    rt_sigprocmask: 14,
    wait4: 61,
    pidfd_open: 434,
  },
  arm64: {
    close: 57,
    mmap: 222,
    munmap: 215,
    ioctl: 29,
    fcntl: 25,
    perf_event_open: 241,
    prlimit64: 261,
    bpf: 280,
    setsockopt: 208,
    socket: 198,
    sendto: 206,
    recvfrom: 207,
    rt_sigprocmask: 135,
    wait4: 260,
    pidfd_open: 434,
  },
} as const;

export const nr: { readonly [K in keyof (typeof NUMBERS)["x64"]]: number } =
  process.arch === "arm64" ? NUMBERS.arm64 : NUMBERS.x64;
