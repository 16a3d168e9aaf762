// What kernel TypeScript compiles to does in the kernel what the reference evaluation of the checked program says: results,
// maps, rings, variables, losses. Programs run by BPF_PROG_TEST_RUN, nothing is attached; needs root.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Features } from "../../src/language/compiler/index.ts";
import { evaluateModule } from "../../src/language/compiler/lower/index.ts";
import { type LoadedObject, loadObject, type ObjectSpec, type Program, VerifierError } from "../../src/sdk/index.ts";
import { liveTarget } from "../../src/sdk/kernel-typescript/target.ts";
import { compileSource } from "../support/compile-source.ts";
import { hostTest, kernelIsAtLeast, kernelTest, machine, type Requirements } from "../support/kernel-test.ts";
import { OLD } from "../support/lower-source.ts";
import { CASES, caseSource, INPUTS, ringRoom } from "../support/lowering-cases.ts";
import { evaluatedState, kernelState } from "../support/module-state.ts";
import { ALL_FEATURES } from "../support/recorded-target.ts";

const target = liveTarget();
const { features } = target;

/** Before Linux 5.14 there are no syscall programs: a raw tracepoint with two numbers takes the input, 32 bits of each. */
const WIDE = kernelIsAtLeast("5.14");

/** One program of each kind, which follows what it is given; and what has to be there for it to load. */
const KINDS: readonly (readonly [name: string, source: string, requirements: Requirements])[] = [
  [
    "tracepoint",
    'tracepoint("sched:sched_process_exec", (ctx) => { if (ctx.pid === 1 && ctx.filename === "x") n.inc(); names.inc(comm()); })',
    {},
  ],
  [
    "texts in records",
    'tracepoint("sched:sched_switch", (ctx) => { if (ctx.prev_comm === "bash" || ctx.next_comm.startsWith("node")) n.inc(); names.inc(ctx.next_comm); })',
    {},
  ],
  ["raw_tp", 'rawTracepoint("sys_enter", (ctx) => { if (ctx.args[1] === 3) n.inc(); })', {}],
  [
    "tp_btf",
    'tpBtf("sched_switch", (preempt, prev, next) => { if (prev.pid !== next.pid && next.comm !== "x" && prev.real_parent.tgid > 1 && prev.cred.uid.val === 0) n.inc(); names.inc(next.comm); })',
    { program: "tracing" },
  ],
  ["tp_btf with null", 'tpBtf("kfree_skb", (skb) => { if (skb.len > 3) n.inc(); })', { program: "tracing" }],
  [
    "iter",
    'iter("task", ({ task }) => { if (!task) return; if (task.pid > 1) n.inc(); if (task.real_parent.tgid === 3) n.inc(); })',
    { program: "tracing" },
  ],
  ["profile", "profile({ hz: 99 }, () => { n.inc(); if (stacks.userId() >= 0) names.inc(comm()); })", {}],
  [
    "kprobe",
    'kprobe("vfs_read", (ctx) => { if (ctx.args[2] > 3 && task().real_parent.real_parent.pid === 1) n.inc(); names.inc(task().comm); })',
    { program: "kprobe" },
  ],
  ["kprobe of a pointer", 'kretprobe("vfs_read", (ctx) => { if (ctx.ret < 0) n.inc(); })', { program: "kprobe" }],
  [
    "uprobe",
    'uprobe("/bin/true", "main", (ctx) => { if (ctx.args[0] > 3) n.inc(); names.inc(userStr(ctx.args[1], 16)); })',
    { program: "kprobe" },
  ],
  [
    "fentry",
    'fentry("vfs_read", (file, buf, count) => { if (file.f_inode.i_ino === count) n.inc(); names.inc(kernelStr(file.f_path.dentry.d_name.name, 16)); })',
    { attach: "fentry" },
  ],
  ["fexit", 'fexit("vfs_read", (ret, file) => { if (ret > 0 && file.f_flags === 0) n.inc(); })', { attach: "fexit" }],
  ["lsm", 'lsm("file_open", (file) => { if (file.f_inode.i_ino === 3) return -EPERM; return 0; })', { attach: "lsm" }],
];

for (const [name, program, requirements] of KINDS) {
  kernelTest(`kernel TypeScript: a program of kind ${name} loads`, requirements, () => {
    const text = `const n = counter(); const names = counter(str(16)); const stacks = stackTraces(64);\nexport const p = ${program};`;
    const { spec } = compileSource(text, target);
    try {
      using loaded = loadObject(spec);
      assert.ok(loaded.programs["p"] !== undefined);
    } catch (error) {
      if (error instanceof VerifierError) console.error(error.log);
      throw error;
    }
  });
}

const comm = readFileSync("/proc/self/comm", "utf8").trimEnd();

/** What the machine itself can do. */
const own = machine.virtual ? ALL_FEATURES : features;
/**
 * The kernel as it is; and the machine's own as if it could do less, which it then has to take as well: old kernels are among the
 * virtual machines.
 */
const VARIANTS: readonly (readonly [suffix: string, can: Features])[] = [
  ["", features],
  ["without iterators", { ...own, iterNum: false }],
  ["as for an old kernel", { ...own, ...OLD }],
];

/** The first kernel that can do what a case needs. */
const SINCE: Readonly<Partial<Record<keyof Features, string>>> = {
  fetchAtomics: "5.12",
  forEachMapElem: "5.13",
  loop: "5.17",
};
const byVersion = (a = "", b = "") => Number(a.split(".")[1]) - Number(b.split(".")[1]);

for (const [suffix, can] of VARIANTS) {
  const variant = { ...target, features: can };
  for (const one of CASES) {
    const { name, needs = [] } = one;
    // What the kernel itself cannot do is told as skipped; a variant of it leaves it out.
    if (suffix !== "" && !needs.every((need) => can[need])) continue;
    // What the kernel cannot do anyway is no variant of it; iterators are for loops.
    if (suffix === "without iterators" && !(own.iterNum && needs.includes("loop"))) continue;
    if (suffix === "as for an old kernel" && !own.fetchAtomics) continue;
    const since = needs
      .map((need) => SINCE[need])
      .sort(byVersion)
      .at(-1);
    (suffix === "" ? kernelTest : hostTest)(
      `kernel TypeScript: ${name}${suffix === "" ? "" : `, ${suffix}`}`,
      { ...(since !== undefined && { kernel: since }) },
      () => {
        const { module, spec } = compileSource(caseSource(one.body, WIDE), variant);
        let expected: ReturnType<typeof evaluateModule>["state"] | undefined;
        let object: LoadedObject<ObjectSpec>;
        try {
          object = loadObject(spec) as LoadedObject<ObjectSpec>;
        } catch (error) {
          if (error instanceof VerifierError) console.error(error.log);
          throw error;
        }
        using loaded = object;
        for (const pair of INPUTS) {
          const [a, b] = WIDE ? pair : [pair[0] & 0xffff_ffffn, pair[1] & 0xffff_ffffn];
          const context = new Uint8Array(new BigUint64Array([a, b]).buffer);
          const said = evaluateModule(module, "p", { context, comm, ringRecords: ringRoom(one) }, expected);
          expected = said.state;
          const { retval } = (loaded.programs["p"] as Program).testRun({ context });
          assert.equal(BigInt(retval), said.result & 0xffff_ffffn, `result for ${a}, ${b}`);
        }
        if (expected === undefined) throw new Error("nothing ran");
        assert.deepEqual(kernelState(module, spec, loaded), evaluatedState(module, expected));
      },
    );
  }
}
