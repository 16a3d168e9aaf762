// Loads Skep's native addon (native/skep.c) and describes it. Nothing is loaded before the first call of `native()`.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a pointer-sized argument of a system call may be: buffers pass the address of their first byte. */
export type SyscallArgument = number | bigint | ArrayBuffer | ArrayBufferView | null | undefined;

/** The block of memory which `arenaSyscall()` reads, and room for the memory its arguments point to. */
export interface Arena {
  /**
   * 1 MiB of zeroed memory which never moves. Bytes 0–7 hold the number and bytes 8–55 the six arguments of the next
   * `arenaSyscall()`, each as 64 bits in the machine's byte order; bytes from 64 on are free to use.
   */
  readonly buffer: ArrayBuffer;
  /** The address of the buffer's first byte. */
  readonly address: number;
}

/** Bits of the `events` of a poll handle. */
export const PollEvent = {
  READABLE: 1,
  WRITABLE: 2,
  DISCONNECT: 4,
  PRIORITIZED: 8,
} as const;

/**
 * Waits for a file descriptor in Node's event loop, level-triggered: while the descriptor stays ready the callback is
 * called once per turn of the loop. While started the handle is kept alive, also when nothing refers to it; stopped and
 * unreachable it is closed by the garbage collector.
 */
export interface PollHandle {
  /**
   * Begins to wait, or changes what is waited for.
   * @param events a sum of `PollEvent`s; READABLE when left out
   * @returns 0 or `-errno`
   * @throws TypeError when the handle is closed
   */
  start(events?: number): number;
  /** Ends waiting; `start()` begins again. Nothing happens when not started or closed. */
  stop(): void;
  /** Ends waiting for good and frees the descriptor. May be called at any time, also in the callback, also twice. */
  close(): void;
  /** Lets a started handle keep the process alive. This is how a handle begins. */
  ref(): void;
  /** Lets the process end while the handle is started. */
  unref(): void;
}

/** The addon's functions. Results of the kernel are numbers, its errors are `-errno`; wrong arguments are TypeErrors. */
export interface Native {
  /** The version of this interface. */
  readonly version: string;
  /**
   * Makes a system call. Numbers must be safe integers (negative ones are sign-extended to 64 bits), bigints must fit
   * into 64 bits signed or unsigned, buffers pass their address, null and undefined pass 0.
   */
  syscall(
    nr: number,
    a0?: SyscallArgument,
    a1?: SyscallArgument,
    a2?: SyscallArgument,
    a3?: SyscallArgument,
    a4?: SyscallArgument,
    a5?: SyscallArgument,
  ): number;
  /** Makes the system call which the first 56 bytes of the arena describe. The cheapest way into the kernel. */
  arenaSyscall(): number;
  /** This thread's arena: the same object at every call. It lives as long as the thread's environment. */
  arena(): Arena;
  /**
   * The address of a buffer's or view's first byte; stays good while the object is referenced and not detached. A
   * buffer of no bytes may have the address 0.
   */
  addressOf(view: ArrayBuffer | ArrayBufferView): number;
  /**
   * Maps memory. Writing to a mapping without PROT_WRITE kills the process (SIGSEGV), as does touching pages past the
   * end of a mapped file: hand out readers, not the buffer. Unmapped by `munmap`, or when the buffer is collected. Do
   * not pass the buffer to asynchronous functions of Node (fs, zlib): they may still use it when it is unmapped.
   * @returns the memory, or `-errno`
   */
  mmap(length: number, prot: number, flags: number, fd: number, offset: number, address?: number): ArrayBuffer | number;
  /**
   * Detaches the buffer and unmaps its memory; views of it are empty from then on.
   * @returns 0 or `-errno`
   * @throws TypeError when the buffer was unmapped before or was not made by `mmap` of this thread
   */
  munmap(buffer: ArrayBuffer): number;
  /**
   * Makes a handle, not yet started, that waits for a duplicate of `fd` (so `fd` may be closed at any time; the file
   * stays open until the handle is closed). The descriptor becomes non-blocking. An exception thrown by the callback
   * becomes an uncaughtException.
   * @param callback status: 0, or `-errno` after which the handle is stopped; events: a sum of `PollEvent`s
   * @returns the handle, or `-errno` (EPERM: the kind of file cannot be waited for)
   */
  poll(fd: number, callback: (status: number, events: number) => void): PollHandle | number;
  /**
   * Starts a program with this process's standard streams, from this very thread: one clone(2) that shares memory, and
   * between it and execve(2) only the signals are reset. Returns when the program is running.
   * @param path NUL-terminated
   * @param argv pointers to NUL-terminated strings, ended by a null pointer, in the machine's byte order
   * @param envp likewise
   * @param pidfd 4 bytes that receive a descriptor of the process (pidfd_open(2)), closed on exec
   * @returns the process id, or `-errno` of clone or execve
   */
  spawn(path: Uint8Array, argv: BigUint64Array, envp: BigUint64Array, pidfd: Int32Array): number;
  /**
   * Makes system calls one after the other on a thread beside, one thread at a time. `calls` is their number, and for each
   * call 10 words: its number, six arguments, an address that gets the low 32 bits of a result that is no error (or 0), the
   * place of the result, and 0: who changes that first (`Atomics.compareExchange`) makes the call, the thread or another.
   * `memory` holds all buffers that the calls name; it is kept until `join()` has found that the thread has ended.
   * @returns 0, or `-errno` when no thread could be made
   * @throws TypeError for another shape, or while a thread is under way
   */
  background(calls: BigUint64Array, memory: object): number;
  /**
   * Waits until the thread has made its calls, or with `false` only looks. Returns at once when there is none.
   * @returns whether no thread is under way any more
   */
  join(waits?: boolean): boolean;
}

/** Skep's native addon cannot be loaded here; the message says why and what to do. */
export class NativeUnavailableError extends Error {
  override readonly name = "NativeUnavailableError";
  readonly code = "SKEP_NATIVE_UNAVAILABLE";
}

/** The interface this file describes: `SKEP_NATIVE_VERSION` in skep.c. */
const VERSION = "4";

let loaded: Native | undefined;

/**
 * The native addon, loaded at the first call.
 * @throws NativeUnavailableError
 */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

/** The file of the native addon: `$SKEP_NATIVE`, or the one of this package; undefined when there is none. */
export function nativePath(): string | undefined {
  return process.env["SKEP_NATIVE"] || packageFile(PREBUILT);
}

/**
 * A file of this package by its path within it, or undefined. Looked for from this file's folder upwards, so that it is
 * found from src/, dist/ and a bundle alike.
 */
export function packageFile(path: string): string | undefined {
  // The command's CommonJS bundle has no import.meta.url, and only there __filename can be trusted: `node -e` has one too.
  const url: string | undefined = import.meta.url;
  let dir = url === undefined ? __filename : fileURLToPath(url);
  for (;;) {
    const end = dir.lastIndexOf("/");
    if (end < 0) return undefined;
    dir = dir.slice(0, end);
    const file = `${dir}/${path}`;
    if (existsSync(file)) return file;
  }
}

const PREBUILT = `prebuilds/linux-${process.arch}/skep.node`;

function load(): Native {
  if (process.platform !== "linux") {
    throw new NativeUnavailableError(
      `eBPF is a part of the Linux kernel: this part of Skep runs on Linux only, not on ${process.platform}.`,
    );
  }
  const path = nativePath();
  if (path === undefined) {
    throw new NativeUnavailableError(
      `Skep's native addon is missing (${PREBUILT}): run \`skep doctor --build-native\`, or \`npm run prepare\` in Skep's folder; it takes a C compiler.`,
    );
  }
  const module = { exports: {} as Native };
  try {
    process.dlopen(module, path);
  } catch (cause) {
    throw new NativeUnavailableError(`Skep's native addon does not load: ${(cause as Error).message}`, { cause });
  }
  const { version } = module.exports;
  if (version !== VERSION) {
    throw new NativeUnavailableError(
      `Skep's native addon ${path} is of another version (${version}, needed is ${VERSION}): run \`skep doctor --build-native\`, or \`npm run prepare\` in Skep's folder.`,
    );
  }
  return module.exports;
}
