import { MOST_TURNS } from "../cpu/call.ts";
import type { Cpu } from "../cpu/cpu.ts";
import type { Helper } from "../cpu/image.ts";
import { E2BIG, EAGAIN, EFAULT, EINVAL, ENOENT } from "../map/errno.ts";
import { KeyedMachineMap } from "../map/keyed-map.ts";
import { MachineMap } from "../map/machine-map.ts";
import { MapOfMachineMaps } from "../map/map-of-maps.ts";
import { PerfMachineMap } from "../map/perf-map.ts";
import { ProgramMachineMap } from "../map/program-map.ts";
import { QueueMachineMap } from "../map/queue-map.ts";
import { RingMachineMap } from "../map/ring-map.ts";
import { StackTraceMachineMap } from "../map/stack-trace-map.ts";
import { StorageMachineMap } from "../map/storage-map.ts";

/** MAX_TAIL_CALL_CNT. */
const MOST_TAIL_CALLS = 33;
const CURRENT_CPU = 0xffff_ffff;
const USER_STACK = 1 << 8;

type MapClass<M> = abstract new (...args: never[]) => M;

/** The map that an argument is; a fault when it is none, or of another kind. */
function mapArgument<M extends MachineMap>(cpu: Cpu, n: number, kind: MapClass<M>): M {
  const owner = cpu.regionOf(n)?.region;
  const map = owner?.kind === "map" ? owner.owner : undefined;
  if (map instanceof kind) return map;
  const what =
    map instanceof MachineMap ? `map "${map.name}", of type ${map.spec.type}, which this call does not take` : "no map";
  return cpu.fault("BAD_ARGUMENT", `Argument ${n} is ${what}.`);
}

function mustBeWritable(cpu: Cpu, map: MachineMap): void {
  if (!map._writable) cpu.fault("READ_ONLY", `It changes map "${map.name}", which programs may only read.`);
}

const lookup: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, MachineMap);
  const key = cpu.input(2, map.keySize);
  if (map instanceof MapOfMachineMaps) return cpu.resultRegion(map.get(key)?._handle);
  const keyed = mapArgument(cpu, 1, KeyedMachineMap);
  const entry = keyed._find(key, true);
  return cpu.resultRegion(entry === undefined ? undefined : keyed._region(entry, cpu.state.world.cpu));
};

const lookupOfCpu: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, KeyedMachineMap);
  const entry = map._find(cpu.input(2, map.keySize), false);
  const which = cpu.u32(3);
  return cpu.resultRegion(
    entry === undefined || entry.values[which] === undefined ? undefined : map._region(entry, which),
  );
};

const update: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, KeyedMachineMap);
  mustBeWritable(cpu, map);
  const key = cpu.input(2, map.keySize);
  const value = cpu.input(3, map.valueSize);
  cpu.result(cpu.u64(4) > 0xffn ? EINVAL : map._put(key, value, cpu.u32(4), cpu.state.world.cpu));
};

const remove: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, KeyedMachineMap);
  mustBeWritable(cpu, map);
  cpu.result(map._remove(cpu.input(2, map.keySize)));
};

const forEach: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, KeyedMachineMap);
  const entry = callback(cpu, 2);
  const context = cpu.u64(3);
  if (cpu.u64(4) !== 0n) return cpu.result(EINVAL);
  const handle = cpu.u64(1);
  const { cpu: current } = cpu.state.world;
  let count = 0;
  for (const element of map._all()) {
    count++;
    const key = cpu.space.add("map key", map.name, element.key, false);
    const value = map._region(element, current);
    const result = cpu.call(entry, handle, key.address, value.address, context);
    key.dead = true;
    cpu.space.remove(key);
    if (result !== 0n) break;
  }
  return cpu.result(count);
};

const loop: Helper = (cpu) => {
  const turns = cpu.u32(1);
  const entry = callback(cpu, 2);
  const context = cpu.u64(3);
  if (cpu.u64(4) !== 0n) return cpu.result(EINVAL);
  if (turns > MOST_TURNS) return cpu.result(E2BIG);
  for (let i = 0; i < turns; i++) if (cpu.call(entry, BigInt(i), context, 0n, 0n) !== 0n) return cpu.result(i + 1);
  return cpu.result(turns);
};

/** Where the function that an argument stands for begins. */
function callback(cpu: Cpu, n: number): number {
  const region = cpu.regionOf(n)?.region;
  if (region?.kind !== "function") cpu.fault("BAD_ARGUMENT", `Argument ${n} must be the address of a function.`);
  return region.owner as number;
}

const reserve: Helper = (cpu) => {
  const ring = mapArgument(cpu, 1, RingMachineMap);
  if (cpu.u64(3) !== 0n) return cpu.resultRegion(undefined);
  return cpu.resultRegion(ring._reserve(cpu.u64(2) > 0xffff_ffffn ? 0xffff_ffff : cpu.u32(2)));
};

const finish =
  (state: "submitted" | "discarded"): Helper =>
  (cpu) => {
    const found = cpu.regionOf(1);
    const ring = found?.region.kind === "ring record" ? found.region.owner : undefined;
    if (found === undefined || !(ring instanceof RingMachineMap) || found.at !== 0)
      return cpu.fault(
        "BAD_ARGUMENT",
        "Argument 1 must be what ringbuf_reserve gave, not null, and not given back before.",
      );
    ring._finish(found.region, state);
    return cpu.result(0);
  };

const output: Helper = (cpu) => {
  const ring = mapArgument(cpu, 1, RingMachineMap);
  const bytes = cpu.input(2, cpu.u32(3));
  // Flags: whether to wake the reader.
  if (cpu.u64(4) > 3n) return cpu.result(EINVAL);
  return cpu.result(ring._output(bytes) ? 0 : EAGAIN);
};

const perfOutput: Helper = (cpu) => {
  const map = mapArgument(cpu, 2, PerfMachineMap);
  const index = cpu.u32(3);
  const bytes = cpu.input(4, cpu.u32(5));
  cpu.result(map._output(index === CURRENT_CPU ? cpu.state.world.cpu : index, bytes));
};

/** Addresses of the stack that flags ask for, without as many of the innermost as they say. */
function stackOf({ state }: Cpu, flags: number): readonly bigint[] {
  const { kernelStack, userStack } = state.world;
  return ((flags & USER_STACK) === 0 ? kernelStack : userStack).slice(flags & 0xff);
}

const stackId: Helper = (cpu) => {
  const map = mapArgument(cpu, 2, StackTraceMachineMap);
  const flags = cpu.u32(3);
  cpu.result(map._keep(stackOf(cpu, flags), flags));
};

/** Addresses of a stack into r[n], r[n + 1] bytes, by flags in r[n + 2]; how many bytes. */
const stack =
  (n: number): Helper =>
  (cpu) => {
    const size = cpu.u32(n + 1);
    const to = cpu.output(n, size);
    const flags = cpu.u32(n + 2);
    if (size % 8 !== 0 || (flags & ~(0xff | USER_STACK)) !== 0) {
      to.fill(0);
      return cpu.result(EINVAL);
    }
    const addresses = stackOf(cpu, flags);
    if (addresses.length === 0) {
      to.fill(0);
      return cpu.result(EFAULT);
    }
    const view = new DataView(to.buffer, to.byteOffset, to.length);
    const count = Math.min(addresses.length, size / 8);
    for (let i = 0; i < count; i++) view.setBigUint64(i * 8, addresses[i] as bigint, cpu.little);
    return cpu.result(count * 8);
  };

const storageGet: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, StorageMachineMap);
  const flags = cpu.u64(4);
  if (flags > 1n || cpu.isNull(2)) return cpu.resultRegion(undefined);
  const initial = cpu.isNull(3) ? undefined : cpu.input(3, map.valueSize);
  return cpu.resultRegion(map._region(cpu.u64(2), flags === 1n, initial));
};

const storageDelete: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, StorageMachineMap);
  cpu.result(cpu.isNull(2) ? EINVAL : map._remove(cpu.u64(2)));
};

const next =
  (take: boolean): Helper =>
  (cpu) => {
    const map = mapArgument(cpu, 1, QueueMachineMap);
    const to = cpu.output(2, map.valueSize);
    const bytes = map._next(take);
    if (bytes === undefined) to.fill(0);
    else to.set(bytes);
    cpu.result(bytes === undefined ? ENOENT : 0);
  };

const tailCall: Helper = (cpu) => {
  const program = mapArgument(cpu, 2, ProgramMachineMap).get(cpu.u32(3));
  const { state } = cpu;
  const entry = program === undefined ? undefined : state.entryOf(program);
  // What cannot be called is no error: the program goes on.
  if (entry === undefined || state.tailCalls >= MOST_TAIL_CALLS) return;
  state.tailCalls++;
  cpu.renew(entry);
};

const taskUnderCgroup: Helper = (cpu) => {
  const map = mapArgument(cpu, 1, MachineMap);
  if (map.spec.type !== "cgroup_array") return cpu.fault("BAD_ARGUMENT", `Map "${map.name}" holds no cgroups.`);
  const index = cpu.u32(2);
  cpu.result(index >= map.maxEntries ? E2BIG : cpu.state.world.underCgroup(index) ? 1 : 0);
};

const spinLock: Helper = (cpu) => {
  const address = cpu.u64(1);
  cpu.input(1, 4);
  if (cpu.state.locks.size > 0) cpu.fault("BAD_ARGUMENT", "A lock is held already, and only one can be.");
  cpu.state.locks.add(address);
};

const spinUnlock: Helper = (cpu) => {
  cpu.input(1, 4);
  if (!cpu.state.locks.delete(cpu.u64(1))) cpu.fault("BAD_ARGUMENT", "It unlocks what is not locked.");
};

/** Everything that has to do with maps. */
export const mapHelpers: Readonly<Record<string, Helper>> = {
  map_lookup_elem: lookup,
  map_lookup_percpu_elem: lookupOfCpu,
  map_update_elem: update,
  map_delete_elem: remove,
  for_each_map_elem: forEach,
  loop,
  map_push_elem: (cpu) => {
    const map = mapArgument(cpu, 1, QueueMachineMap);
    cpu.result(map._push(cpu.input(2, map.valueSize), cpu.u32(3)));
  },
  map_pop_elem: next(true),
  map_peek_elem: next(false),
  ringbuf_reserve: reserve,
  ringbuf_submit: finish("submitted"),
  ringbuf_discard: finish("discarded"),
  ringbuf_output: output,
  ringbuf_query: (cpu) => cpu.result(mapArgument(cpu, 1, RingMachineMap)._query(cpu.u64(2))),
  perf_event_output: perfOutput,
  get_stackid: stackId,
  get_stack: stack(2),
  get_task_stack: stack(2),
  task_storage_get: storageGet,
  task_storage_delete: storageDelete,
  sk_storage_get: storageGet,
  sk_storage_delete: storageDelete,
  inode_storage_get: storageGet,
  inode_storage_delete: storageDelete,
  cgrp_storage_get: storageGet,
  cgrp_storage_delete: storageDelete,
  tail_call: tailCall,
  current_task_under_cgroup: taskUnderCgroup,
  spin_lock: spinLock,
  spin_unlock: spinUnlock,
};
