// The selftests' programs that say what they return, run by the machine of skep/testing: no kernel takes part.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Machine, MachineFault, packetContext } from "../../../dist/language/interp/index.js";
import { readObject } from "../../../dist/object/spec/index.js";
import { printCount } from "../causes.js";
import { TEST_VALUE } from "../ours.js";
import { deviation, testedObjects, testsOf } from "./annotations.js";
import { compiled } from "./source.js";

/** What tells that the machine does not have something, and not that it is wrong. */
const NOT_THERE = /^UNKNOWN_/;
const PACKETS = /^(?:sched_|socket_filter|cgroup_skb|sk_skb|lwt_)/;
/** Bytes of test_loader's packet. */
const PACKET = 64;
const MOST_INSTRUCTIONS = 200_000_000;

function contextOf(type) {
  if (type === "xdp") return packetContext("xdp", new Uint8Array(PACKET));
  if (PACKETS.test(type)) return packetContext("skb", new Uint8Array(PACKET));
  return type === "syscall" ? undefined : new Uint8Array(512);
}

/** What a test returns in the machine; `missing`: a helper or function of the kernel that it does not have. */
function answer(spec, { name, fill }) {
  // The kernel's loader takes programs that read stack that nobody wrote.
  const machine = new Machine(spec, { uninitialised: "zero", maxInstructions: MOST_INSTRUCTIONS });
  if (fill !== undefined) [...machine.map(fill)._all()][0].values[0].set(TEST_VALUE);
  try {
    const { result } = machine.run(name, contextOf(spec.programs[name].type));
    return { log: "", retval: result };
  } catch (error) {
    if (!(error instanceof MachineFault)) throw error;
    return NOT_THERE.test(error.code)
      ? { missing: /(?:the helper|kernel function) (\w+)/.exec(error.message)?.[1] ?? error.code }
      : { log: "", runError: `${error.code}: ${error.message}` };
  }
}

/** Counts, and a line for each program that returns something else. */
export function checkMachine(objects) {
  const totals = { runs: 0, held: 0, missing: new Map() };
  const differences = [];
  for (const name of new Set([...testedObjects().values()].flat())) {
    const file = join(compiled, `${name}.bpf.o`);
    if (!objects.includes(file)) continue;
    const spec = readObject(readFileSync(file));
    for (const test of testsOf(basename(name), spec)) {
      if (!test.run || !test.privileged || test.elsewhere) continue;
      totals.runs++;
      const result = answer(spec, test);
      if (result.missing !== undefined) {
        totals.missing.set(result.missing, (totals.missing.get(result.missing) ?? 0) + 1);
        continue;
      }
      const wrong = deviation({ ...test, messages: [] }, result);
      if (wrong === undefined) totals.held++;
      else differences.push(`machine ${name}.bpf.o ${test.name}: ${wrong}`);
    }
  }
  return { totals, differences };
}

export function printMachine({ runs, held, missing }) {
  console.log(`${runs} programs that say what they return, in the machine`);
  printCount(held, "return it");
  const names = [...missing].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
  printCount(
    [...missing.values()].reduce((sum, count) => sum + count, 0),
    `call what the machine does not have: ${names.join(", ")}`,
  );
}
