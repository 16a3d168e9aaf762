// What the kernel tells of programs, what it counts of them, running them by hand, and reading them back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Pseudo, slotsOf } from "../../src/object/asm/index.ts";
import {
  Assembler,
  disassemble,
  dumpProgram,
  enableStats,
  loadedBtf,
  loadObject,
  mapDetails,
  mapIdOf,
  openProgram,
  type ProgramSpec,
  programDetails,
  programIds,
  r0,
  r1,
  r2,
  r6,
  u64,
} from "../../src/sdk/index.ts";
import { countingObject } from "../support/attach-programs.ts";
import { run } from "../support/cli.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { childCommand } from "../support/mounts.ts";
import { fixture } from "../support/objects.ts";

const program = (type: ProgramSpec["type"], write: (a: Assembler) => Assembler, license = "GPL") => ({
  maps: {},
  programs: { p: { type, license, instructions: write(new Assembler()).exit().instructions() } },
});
const data = new Uint8Array(64);

kernelTest("program details: who loaded it, its licence, what the verifier did, its maps and types", () => {
  using object = loadObject(fixture("core.el"), { programs: ["on_enter"] });
  const { on_enter: loaded } = object.programs;
  assert.ok(loaded !== undefined);
  const details = loaded.details();
  assert.deepEqual(details, programDetails(loaded));
  assert.ok([...programIds()].includes(details.id));
  const { type, name, uid, gplCompatible, interfaceIndex, attachTarget } = details;
  assert.deepEqual([type, name, uid, gplCompatible, interfaceIndex], ["raw_tracepoint", "on_enter", 0, true, 0]);
  assert.equal(attachTarget, undefined);
  assert.match(details.tag, /^[0-9a-f]{16}$/);
  assert.equal(details.verifiedInstructions > 50, kernelIsAtLeast("5.16"));
  const used = Object.values(object.maps).map((map) => mapDetails(map).id);
  assert.ok(details.mapIds.length >= 3 && details.mapIds.every((id) => used.includes(id)), details.mapIds.join(", "));
  assert.ok(loadedBtf(details.btfId).find("add_twice", "function") !== undefined);
  using other = loadObject(program("socket_filter", (a) => a.mov(r0, 0), "Proprietary"));
  const plain = other.programs.p.details();
  assert.deepEqual([plain.gplCompatible, plain.btfId, plain.mapIds], [false, 0, []]);
});

kernelTest("program details: the target it was loaded for", { kernel: "5.13", attach: "tp_btf" }, () => {
  const target = { type: "tracing", expectedAttachType: "trace_raw_tp", attachTo: "sys_enter" } as const;
  using object = loadObject(countingObject(target));
  const { attachTarget } = object.programs.p.details();
  assert.ok(attachTarget !== undefined);
  assert.equal(loadedBtf(attachTarget.btfId).type(attachTarget.typeId).name, "btf_trace_sys_enter");
});

kernelTest("a descriptor of something else is no program, and an id that there is not is named", () => {
  using object = loadObject(countingObject({ type: "socket_filter", own: false }));
  assert.throws(
    () => programDetails(object.maps.counts),
    /^TypeError: There is no program behind map "counts": it is a bpf-map\.$/,
  );
  assert.throws(() => openProgram(0x7fff_fff0), { code: "ENOENT", message: /There is no program with this id/ });
});

kernelTest("runs are counted while somebody has statistics enabled", { kernel: "5.8" }, () => {
  using object = loadObject(program("socket_filter", (a) => a.mov(r0, 0)));
  const { p } = object.programs;
  const off = readFileSync("/proc/sys/kernel/bpf_stats_enabled", "latin1").trim() === "0";
  p.testRun({ data, repeat: 5 });
  const before = p.stats();
  const stats = enableStats();
  p.testRun({ data, repeat: 7 });
  const counted = p.stats().runCount - before.runCount;
  stats.close();
  assert.equal(counted, 7n);
  assert.ok(p.stats().runTimeNs >= before.runTimeNs);
  assert.equal(p.details().runCount, p.stats().runCount);
  // Others on this machine may have them enabled, too: only then is more counted.
  p.testRun({ data, repeat: 3 });
  const after = p.stats().runCount - before.runCount;
  if (off) assert.ok(after === 7n || after === 10n, `${after}`);
});

kernelTest("a test run gives back the context that the program wrote", () => {
  // __sk_buff.mark
  using object = loadObject(
    program("sched_cls", (a) => a.load("u32", r2, r1, 8).add(r2, 5).store("u32", r1, 8, r2).mov(r0, 0)),
  );
  const context = new Uint8Array(192);
  context[8] = 37;
  const { contextOut, dataOut } = object.programs.p.testRun({ data, context, contextOutSize: 192 });
  // As much as the kernel has of it.
  assert.ok((contextOut?.length ?? 0) >= 176 && (contextOut?.length ?? 0) <= 192, `${contextOut?.length}`);
  assert.equal(contextOut?.[8], 42);
  assert.equal(dataOut, undefined);
  // Too little room for the packet is told with how much it takes.
  assert.throws(() => object.programs.p.testRun({ data, dataOutSize: 10 }), {
    code: "ENOSPC",
    message: /The packet has 64 bytes afterwards/,
  });
});

kernelTest("a benchmark runs as often as asked, and tells the middle of its rounds", () => {
  using object = loadObject(countingObject({ type: "socket_filter", own: false, result: 3 }));
  const { p } = object.programs;
  const { medianNs, leastNs, mostNs, retval } = p.benchmark({ data, repeat: 100, rounds: 4 });
  assert.equal(object.maps.counts.get(0)?.[0], 400n);
  assert.equal(retval, 3);
  assert.ok(leastNs >= 0 && leastNs <= medianNs && medianNs <= mostNs, `${leastNs}, ${medianNs}, ${mostNs}`);
  assert.throws(() => p.benchmark({ data, rounds: 0 }), /^RangeError: 0 is no number of rounds/);
});

kernelTest("a raw tracepoint's program runs on the CPU that is asked for", { kernel: "5.10" }, () => {
  using object = loadObject(program("raw_tracepoint", (a) => a.call("get_smp_processor_id")));
  const { p } = object.programs;
  for (let cpu = 0; cpu < availableParallelism(); cpu++) assert.equal(p.testRun({ cpu }).retval, cpu);
  assert.throws(() => p.testRun({ cpu: 4000 }), { code: "ENXIO", message: /There is no CPU 4000/ });
  using other = loadObject(program("socket_filter", (a) => a.mov(r0, 0)));
  assert.throws(() => other.programs.p.testRun({ data, cpu: 0 }), {
    code: "EINVAL",
    message: /Only raw tracepoints run/,
  });
  assert.throws(() => other.programs.p.testRun({ data, liveFrames: true }), { code: "EINVAL", message: /Live frames/ });
});

for (const [name, needs] of [
  ["live-frames", { kernel: "5.18", command: ["unshare", "ip"] }],
  ["interrupted-run", {}],
] as const) {
  kernelTest(`test run: ${name}`, needs, async () => {
    const { code, stdout, stderr } = await run([
      ...(name === "live-frames" ? ["unshare", "--net"] : []),
      ...childCommand(name),
    ]);
    assert.deepEqual([code, stdout], [0, "done\n"], stderr);
  });
}

kernelTest("a program is read back with its functions, source lines and maps", () => {
  using object = loadObject(fixture("core.el"), { programs: ["on_enter"] });
  const loaded = object.programs["on_enter"];
  assert.ok(loaded !== undefined);
  const { instructions, functions, callee } = dumpProgram(loaded);
  const slots = instructions.reduce((sum, one) => sum + slotsOf(one), 0);
  const { translatedBytes, machineBytes, mapIds } = loaded.details();
  assert.equal(slots * 8, translatedBytes);
  assert.deepEqual(functions.map(({ name }) => name).slice(0, 2), ["on_enter", "add_twice"]);
  assert.equal(
    functions.reduce((sum, one) => sum + one.machine.length, 0),
    machineBytes,
  );
  const source = instructions.find((one) => one.source?.text.includes("add_twice(1)"))?.source;
  assert.match(source?.file ?? "", /core\.bpf\.c$/);
  assert.ok((source?.line ?? 0) > 50);
  const referred = new Set(instructions.map(mapIdOf).filter((id) => id !== undefined));
  assert.deepEqual(
    [...referred].filter((id) => !mapIds.includes(id)),
    [],
  );
  const text = disassemble(instructions, { labels: true, callee });
  assert.match(text, /^on_enter:\n/);
  assert.match(text, /^add_twice:$/m);
  assert.match(text, /^call add_twice$/m);
  assert.doesNotMatch(text, /invalid/);
  // What the kernel's symbols tell.
  assert.match(text, /^call bpf_(get_current_pid_tgid|probe_read_kernel)$/m);
});

kernelTest("a program without types is read back as well", () => {
  const a = new Assembler().loadMapValue(r6, "m", 0).load("u64", r0, r6, 0).exit();
  const map = { type: "array", value: u64, maxEntries: 1 } as const;
  using object = loadObject({
    maps: { m: map },
    programs: { p: { type: "socket_filter", license: "GPL", instructions: a.instructions() } },
  });
  const { instructions } = dumpProgram(object.programs.p);
  const [first] = instructions;
  assert.ok(first !== undefined);
  assert.equal(first.src, Pseudo.MAP_VALUE);
  assert.equal(mapIdOf(first), mapDetails(object.maps.m).id);
  assert.equal(disassemble(instructions).split("\n").at(-1), "exit");
});
