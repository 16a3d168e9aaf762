// Hot update: a program is replaced while it is at work, and no event is missed or seen twice. Linux 5.8; root, or
// CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/hot-update.js
import { getPriority } from "node:os";
import { Assembler, array, loadObject, type ObjectSpec, r0, r1, r2, u64n } from "skep";

const CALLS = 500;

/** Counts this process's calls of getpriority in the slot of its version; another version has the same map. */
function version(slot: number) {
  const a = new Assembler();
  a.call("get_current_pid_tgid").rsh(r0, 32).jne(r0, process.pid, "end");
  a.loadMapValue(r1, "counts", slot * 8)
    .mov(r2, 1)
    .atomicAdd("u64", r1, 0, r2);
  a.label("end").mov(r0, 0).exit();
  const program = { type: "tracepoint", attachTo: "syscalls/sys_enter_getpriority" } as const;
  return {
    maps: { counts: { type: "array", value: array(u64n, 2), maxEntries: 1 } },
    programs: { count: { ...program, instructions: a.instructions(), license: "Dual MIT/GPL" } },
  } as const satisfies ObjectSpec;
}

const look = () => {
  for (let i = 0; i < CALLS; i++) getPriority();
};

using object = loadObject(version(0), { replaceable: true });
object.attach();
look();
const replacing = object.replace(version(1)); // in force from here on
look();
const { kept } = await replacing; // the last of the old one has ended
console.log(`kept: ${kept.join()}`);
const [first, second] = object.maps.counts.get(0) ?? [];
console.log(`seen by the first: ${first}, by the second: ${second}`);
