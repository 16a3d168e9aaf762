// Sources to SSA for tests: checked and lowered for the recorded kernel, every function held against the form's rules.
import assert from "node:assert/strict";
import { check } from "../../src/language/compiler/check/check.ts";
import type { Diagnostic } from "../../src/language/compiler/diagnostic.ts";
import type { Module } from "../../src/language/compiler/hir.ts";
import { type LoweredModule, lowerModule } from "../../src/language/compiler/lower/index.ts";
import type { Func } from "../../src/language/compiler/ssa/ir.ts";
import { verify } from "../../src/language/compiler/ssa/verify.ts";
import type { Features, Target } from "../../src/language/compiler/target.ts";
import { recordedTarget } from "./recorded-target.ts";

/** All words of `skep/kernel` that tests use. */
const WORDS =
  "struct, str, bytes, array, u8, u16, u32, u64, i8, i16, i32, i64, u64n, be16, be32, be64, bool, hash, arrayMap, ringbuf, counter, sum, avg, histogram, linear, stackTraces, taskStorage, progArray, cgroupArray, param, global, tracepoint, rawTracepoint, tpBtf, kprobe, kretprobe, uprobe, uretprobe, usdt, fentry, fexit, lsm, profile, interval, iter, syscall, xdp, pid, tid, uid, gid, pidTgid, nsPidTgid, taskAddress, taskRegisters, cpu, comm, ktime, ktimeBoot, task, userStr, kernelStr, readUser, readKernel, userStrInto, kernelStrInto, readUserInto, readKernelInto, zeros, min, max, abs, clz32, log2, range, atMost, print, signal, random, jiffies, ntohs, htons, ntohl, htonl, ntohll, cgroupId, cookie, funcIp, cell, exists, EPERM";

/** A kernel that can do nothing new, as Linux 5.10. */
export const OLD: Partial<Features> = {
  fetchAtomics: false,
  isaV4: false,
  currentTaskBtf: false,
  forEachMapElem: false,
  loop: false,
  rdonlyCast: false,
  iterNum: false,
};

export interface LoweredSource {
  readonly text: string;
  readonly module: Module;
  readonly target: Target;
  readonly lowered: LoweredModule;
  readonly functions: readonly Func[];
}

/** A text behind the import of all words. */
export function withWords(text: string): string {
  return `import { ${WORDS} } from "skep/kernel"; import type { Kernel } from "skep/kernel";\n${text}`;
}

/** The module of a text, which may leave out the import. Fails on anything the checker says. */
export function checkSource(text: string, target: Target): { text: string; module: Module } {
  const whole = withWords(text);
  const { module, diagnostics } = check({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", whole]]) }, target);
  assert.deepEqual(diagnostics.map(shown), [], text);
  return { text: whole, module };
}

export function lowerSource(text: string, features: Partial<Features> = {}): LoweredSource {
  const target = recordedTarget(features);
  const checked = checkSource(text, target);
  const lowered = lowerModule(checked.module, target);
  assert.deepEqual(lowered.diagnostics.map(shown), [], text);
  for (const func of lowered.functions) verify(func);
  return { ...checked, target, lowered, functions: lowered.functions };
}

/** What lowering says is wrong, as `code: message`. */
export function loweringFaults(text: string, features: Partial<Features> = {}): string[] {
  const target = recordedTarget(features);
  return lowerModule(checkSource(text, target).module, target).diagnostics.map(shown);
}

function shown({ code, message }: Diagnostic): string {
  return `${code}: ${message}`;
}

/** Maps and types that bodies of programs use; `BODY` stands where the body goes. */
export const AROUND = `
const started = hash(u32, u64); const Stat = struct({ n: u64, small: u16, name: str(16), list: array(u32, 4) }); const stats = hash(u32, Stat);
const slots = arrayMap(u64, 256); const seen = global(u64, 0); const limit = param(u32, 7); const events = ringbuf(Stat); const perTask = taskStorage(u64);
const opens = counter(str(16)); const total = sum(); const times = histogram(u32); const fine = histogram({ bits: 3 }); const stacks = stackTraces(64);
const lowest = min(u32); const highest = max(); const mean = avg(u32); const spread = linear({ min: 0, max: 1000, step: 50 });
const N = 5; const T = { a: 1, list: [1, 2] };
function twice(x: u64): u64 { return x * 2; } function tell(s: Kernel<typeof Stat>) { s.n += 1; }
`;

/** The body of a tracepoint's program with `AROUND` before it. */
export function inProgram(body: string): string {
  return `${AROUND}export const p = tracepoint("syscalls:sys_enter_openat", (ctx) => { ${body} });`;
}
