import { describe, expect, it } from "vitest";
import { capturedBytes, capturedText, decodedCall } from "../../../../test/support/decoded-call.ts";
import { argsOf, FdTable, formatCall } from "./index.ts";

const AT_FDCWD = -100;
const files = () => new FdTable({ files: new Map([[3, "/etc/hosts"]]), cwd: "/home" });

describe("a call as a line", () => {
  it.each([
    [
      decodedCall("openat", { args: [AT_FDCWD, 0x1000, 0x80000], ret: 3, captures: [capturedText(1, "/etc/hosts")] }),
      'openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3</etc/hosts>',
    ],
    [
      decodedCall("openat", { args: [AT_FDCWD, 0x1000, 0x241, 0o644], ret: -13, captures: [capturedText(1, "new")] }),
      'openat(AT_FDCWD, "new", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 EACCES (Permission denied)',
    ],
    [
      decodedCall("read", {
        args: [3, 0x1000, 4096],
        ret: 5,
        files: files(),
        captures: [capturedBytes(1, Buffer.from("a\n\x01bc"))],
      }),
      'read(3</etc/hosts>, "a\\n\\x01bc", 4096) = 5',
    ],
    [decodedCall("close", { args: [7], ret: -9 }), "close(7) = -1 EBADF (Bad file descriptor)"],
    [
      decodedCall("mmap", { args: [0, 8192, 3, 0x22, -1, 0], ret: 0x7f0000000000 }),
      "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000",
    ],
    [decodedCall("kill", { args: [42, 15] }), "kill(42, SIGTERM) = 0"],
    [
      decodedCall("dup3", { args: [3, 9, 0x80000], ret: 9, files: files() }),
      "dup3(3</etc/hosts>, 9, O_CLOEXEC) = 9</etc/hosts>",
    ],
    [decodedCall("exit_group", { args: [1], unfinished: true }), "exit_group(1 <unfinished ...>) = ?"],
    [decodedCall("umask", { args: [0o22], ret: 0o77 }), "umask(022) = 077"],
    [decodedCall("open", { args: [8, 0], ret: -14 }), "open(0x8, O_RDONLY) = -1 EFAULT (Bad address)"],
    [
      decodedCall("connect", {
        args: [4, 0x1000, 16],
        ret: -111,
        captures: [capturedBytes(1, [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])],
      }),
      "connect(4, {sa_family=AF_INET, sin_port=80, sin_addr=127.0.0.1}, 16) = -1 ECONNREFUSED (Connection refused)",
    ],
    [
      decodedCall("execve", {
        args: [0x1000, 0x2000, 0x3000],
        captures: [capturedText(0, "/bin/ls"), capturedText(1, "ls"), capturedText(1, "-l ä", 1)],
      }),
      'execve("/bin/ls", ["ls", "-l ä"], 0x3000) = 0',
    ],
    [
      decodedCall("nanosleep", {
        args: [0x1000, 0],
        ret: -516,
        captures: [capturedBytes(0, [1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0])],
      }),
      "nanosleep({tv_sec=1, tv_nsec=5}, NULL) = ? ERESTART_RESTARTBLOCK (interrupted by a signal)",
    ],
    [decodedCall("personality", { args: [0xffffffff] }), "personality(0xffffffff) = 0"],
    [decodedCall("personality", { args: [0x40008] }), "personality(PER_LINUX32|ADDR_NO_RANDOMIZE) = 0"],
    [
      decodedCall("sched_setscheduler", { args: [0, 0x40000003, 0] }),
      "sched_setscheduler(0, SCHED_BATCH|SCHED_RESET_ON_FORK, NULL) = 0",
    ],
    [
      decodedCall("shmget", { args: [0, 4096, 0x1b80], ret: 5 }),
      "shmget(IPC_PRIVATE, 4096, IPC_CREAT|SHM_HUGETLB|SHM_NORESERVE|0600) = 5",
    ],
    [decodedCall("shmctl", { args: [5, 11, 0] }), "shmctl(5, SHM_LOCK, NULL) = 0"],
    [decodedCall("msgctl", { args: [5, 12, 0] }), "msgctl(5, MSG_INFO, NULL) = 0"],
    [decodedCall("semctl", { args: [5, 0, 16, 1] }), "semctl(5, 0, SETVAL, 0x1) = 0"],
    [
      decodedCall("msgrcv", { args: [5, 0, 8, 0, 0x1800], ret: 0 }),
      "msgrcv(5, NULL, 8, 0, IPC_NOWAIT|MSG_NOERROR) = 0",
    ],
    [
      decodedCall("openat2", {
        args: [AT_FDCWD, 0x1000, 0x2000, 24],
        ret: -18,
        captures: [capturedText(1, "x"), capturedBytes(2, [0, 0, 8, ...Array(13).fill(0), 12, ...Array(7).fill(0)])],
      }),
      'openat2(AT_FDCWD, "x", {flags=O_RDONLY|O_CLOEXEC, resolve=RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24) = -1 EXDEV (Invalid cross-device link)',
    ],
    [
      // recv(2) with MSG_TRUNC tells how much there was, not how much it wrote.
      decodedCall("recvfrom", {
        args: [4, 0x1000, 4, 0x20, 0, 0],
        ret: 8,
        captures: [capturedBytes(1, Buffer.from("datagram"))],
      }),
      'recvfrom(4, "data", 4, MSG_TRUNC, NULL, NULL) = 8',
    ],
    [
      decodedCall("getxattr", {
        args: [0x1000, 0x2000, 0x3000, 0],
        ret: 3,
        captures: [capturedText(0, "f"), capturedText(1, "user.x"), capturedBytes(2, Buffer.from("old"))],
      }),
      'getxattr("f", "user.x", 0x3000, 0) = 3',
    ],
    [decodedCall("fcntl", { args: [3, 10, 29], files: files() }), "fcntl(3</etc/hosts>, F_SETSIG, SIGIO) = 0"],
  ])("%#", (call, line) => expect(formatCall(call)).toBe(line));

  it("shows a call without a signature with raw arguments", () => {
    expect(formatCall(decodedCall("syscall_511", { args: [1, 2n ** 63n] }))).toBe(
      "syscall_511(0x1, 0x8000000000000000, 0x0, 0x0, 0x0, 0x0) = 0",
    );
    expect(formatCall(decodedCall("vserver", { args: [3], compat: true }))).toMatch(/^vserver\(0x3, 0x0,/);
  });
});

describe("arguments for programs", () => {
  it("are numbers, texts, descriptors with their paths, buffers with their lengths", () => {
    const call = decodedCall("read", {
      args: [3, 0x1000, 4096],
      ret: 2,
      files: files(),
      captures: [capturedBytes(1, Buffer.from("ok"))],
    });
    expect(argsOf(call)).toEqual({ fd: { fd: 3, path: "/etc/hosts" }, buf: { data: "ok", length: 2 }, count: 4096 });
    const open = decodedCall("openat", { args: [AT_FDCWD, 0, 0], ret: -14 });
    expect(argsOf(open)).toEqual({ dirfd: "AT_FDCWD", pathname: null, flags: "O_RDONLY" });
  });
});
