import type { KernelType } from "./context.ts";
import { kernelOnly } from "./kernel-only.ts";
import type { i64, u16, u32, u64 } from "./scalar.ts";
import type { Type } from "./type.ts";
import type { KernelPtr, Str, UserPtr } from "./value.ts";

/** The process's id, which its threads share (`getpid`). */
export function pid(): u32 {
  return kernelOnly("pid()");
}

/** The thread's id (`gettid`). */
export function tid(): u32 {
  return kernelOnly("tid()");
}

/** The ids of thread and process in one number: the thread's in the low 32 bits, the process's in the high ones. */
export function pidTgid(): u64 {
  return kernelOnly("pidTgid()");
}

/**
 * Like `pidTgid`, as a pid namespace numbers them, which is said by its file: device and inode of `/proc/self/ns/pid` (stat(2)). 0 where
 * the thread is not of this very namespace. Linux 5.7.
 */
export function nsPidTgid(_device: u64, _inode: u64): u64 {
  return kernelOnly("nsPidTgid()");
}

/** The user's id. */
export function uid(): u32 {
  return kernelOnly("uid()");
}

/** The group's id. */
export function gid(): u32 {
  return kernelOnly("gid()");
}

/** The thread's name, up to 15 characters. */
export function comm(): Str<16> {
  return kernelOnly("comm()");
}

/** Nanoseconds since the machine was started, without the time it slept. */
export function ktime(): u64 {
  return kernelOnly("ktime()");
}

/** Nanoseconds since the machine was started, with the time it slept. Linux 5.8. */
export function ktimeBoot(): u64 {
  return kernelOnly("ktimeBoot()");
}

/** The kernel's timer ticks. Linux 5.6. */
export function jiffies(): u64 {
  return kernelOnly("jiffies()");
}

/** The CPU that the program runs on. */
export function cpu(): u32 {
  return kernelOnly("cpu()");
}

/** The NUMA node of the CPU. */
export function numaNode(): u32 {
  return kernelOnly("numaNode()");
}

/** The id of the thread's cgroup (v2): the inode of its folder. */
export function cgroupId(): u64 {
  return kernelOnly("cgroupId()");
}

/** The thread's `task_struct`: `task().real_parent.tgid`. Linux 5.11; older kernels read through an address. */
export function task(): KernelType<"task_struct"> {
  return kernelOnly("task()");
}

/** The address of the thread's `task_struct`, as a number: what tells threads apart while they live. */
export function taskAddress(): u64 {
  return kernelOnly("taskAddress()");
}

/** The address of the registers that the thread entered the kernel with (`struct pt_regs`), for `readKernel`. Linux 5.15. */
export function taskRegisters(): KernelPtr {
  return kernelOnly("taskRegisters()");
}

/** A random number of 32 bits. */
export function random(): u32 {
  return kernelOnly("random()");
}

/** Sends a signal to the process (SIGKILL is 9): 0, or a negative error. Linux 5.3. */
export function signal(_signal: number): i64 {
  return kernelOnly("signal()");
}

/** Sends a signal to this very thread: 0, or a negative error. Linux 5.6. */
export function signalThread(_signal: number): i64 {
  return kernelOnly("signalThread()");
}

/**
 * The text at an address of the process, cut to `max` bytes with its NUL; "" where it cannot be read. Assigned to a field it is
 * read straight into it and has its size; else 64 bytes.
 */
export function userStr<N extends number = 64>(_address: UserPtr, _max?: N): Str<N> {
  return kernelOnly("userStr()");
}

/** The text at an address of the kernel's; like `userStr`. */
export function kernelStr<N extends number = 64>(_address: KernelPtr | Str, _max?: N): Str<N> {
  return kernelOnly("kernelStr()");
}

/** What stands at an address of the process, as a value of the type; zeros where it cannot be read. */
export function readUser<K>(_address: UserPtr, _type: Type<K, unknown>): K {
  return kernelOnly("readUser()");
}

/** What stands at an address of the kernel, as a value of the type; zeros where it cannot be read. */
export function readKernel<K>(_address: KernelPtr, _type: Type<K, unknown>): K {
  return kernelOnly("readKernel()");
}

/**
 * Copies from an address of the process into a struct, an array, a text or bytes of the program's own: as many bytes as it says, or all
 * that there are room for. 0, or a negative error; then zeros are there.
 */
export function readUserInto(_to: object | string, _address: UserPtr, _bytes?: number): i64 {
  return kernelOnly("readUserInto()");
}

/** Copies from an address of the kernel; like `readUserInto`. */
export function readKernelInto(_to: object | string, _address: KernelPtr, _bytes?: number): i64 {
  return kernelOnly("readKernelInto()");
}

/**
 * Copies the text at an address of the process into a text or bytes of the program's own, as far as there is room for it and its NUL;
 * what stands behind the NUL stays. How many bytes there are with the NUL, or a negative error.
 */
export function userStrInto(_to: object | string, _address: UserPtr): i64 {
  return kernelOnly("userStrInto()");
}

/** Copies the text at an address of the kernel; like `userStrInto`. */
export function kernelStrInto(_to: object | string, _address: KernelPtr): i64 {
  return kernelOnly("kernelStrInto()");
}

/** A struct, array, text or bytes of zeros, to be filled in: `const record = zeros(Open)`. */
export function zeros<K>(_type: Type<K, unknown>): K {
  return kernelOnly("zeros()");
}

/** The address of the function that a kprobe or uprobe stands at. Linux 5.15. */
export function funcIp(): u64 {
  return kernelOnly("funcIp()");
}

/** The number that was given when the program was attached. Linux 5.15. */
export function cookie(): u64 {
  return kernelOnly("cookie()");
}

/** 16 bits from network byte order. */
export function ntohs(_value: number): u16 {
  return kernelOnly("ntohs()");
}

/** 32 bits from network byte order. */
export function ntohl(_value: number): u32 {
  return kernelOnly("ntohl()");
}

/** 64 bits from network byte order. */
export function ntohll(_value: number): u64 {
  return kernelOnly("ntohll()");
}

/** 16 bits to network byte order. */
export function htons(_value: number): u16 {
  return kernelOnly("htons()");
}

/** 32 bits to network byte order. */
export function htonl(_value: number): u32 {
  return kernelOnly("htonl()");
}

/** 64 bits to network byte order. */
export function htonll(_value: number): u64 {
  return kernelOnly("htonll()");
}

/** A number without its sign. */
export function abs(_value: number): number {
  return kernelOnly("abs()");
}

/** Zero bits above the highest one of the 32 low bits: 32 for 0. */
export function clz32(_value: number): u32 {
  return kernelOnly("clz32()");
}

/** The place of the highest bit that is set, of 64: 0 for 0 and 1. */
export function log2(_value: number): u32 {
  return kernelOnly("log2()");
}

/** Prints a line, `print(`${comm()} opens`, pid())`: JavaScript puts it together (`prints` of what `load(module)` gives). */
export function print(..._parts: readonly (string | number | boolean)[]): void {
  kernelOnly("print()");
}

/** A bound for numbers that are known only when the program runs. */
export interface RangeOptions {
  /** Turns that there are at most; the loop ends then. */
  readonly atMost?: number;
}

/** Counts from 0, or from a start, up to the end and without it: `for (const i of range(16))`. */
export function range(end: number, options?: RangeOptions): IterableIterator<number>;
export function range(start: number, end: number, options?: RangeOptions): IterableIterator<number>;
export function range(): IterableIterator<number> {
  return kernelOnly("range()");
}

/** True for the first `turns` turns of a loop: `while (more && atMost(100))`. The kernel wants to see that a loop ends. */
export function atMost(_turns: number): boolean {
  return kernelOnly("atMost()");
}

/**
 * Whether the kernel that is compiled for has a member of a struct, or a field of a tracepoint: `exists(task().__state)`. As a text,
 * whether it has a function (`exists("vfs_read")`) or a tracepoint (`exists("sched:sched_switch")`).
 *
 * It is known when the program is compiled: as the test of an `if`, of `?:`, or before `&&` and `||`, it decides which of the two ways is
 * compiled; the other one may name what this kernel does not have. `skep types` declares what `exists` is asked of whether it is there
 * or not.
 */
export function exists(_member: unknown): boolean {
  return kernelOnly("exists()");
}
