import { helperName } from "../../../object/asm/index.ts";
import { POISON } from "../../../object/spec/index.ts";
import type { Helper } from "../cpu/image.ts";
import { custom, type HelperFunction } from "./helper-call.ts";
import { kfuncs } from "./kfuncs.ts";
import { mapHelpers } from "./map-helpers.ts";
import { memoryHelpers } from "./memory-helpers.ts";
import { printHelpers } from "./print-helpers.ts";
import { taskHelpers } from "./task-helpers.ts";

const BUILT_IN: Readonly<Record<string, Helper>> = { ...mapHelpers, ...memoryHelpers, ...taskHelpers, ...printHelpers };

/** The names of the helpers that the machine has. */
export const HELPER_NAMES: readonly string[] = Object.keys(BUILT_IN);

type Given = Readonly<Record<string, HelperFunction>>;

/** What a helper's number stands for: the test's own first. One that there is not faults when it is called. */
export function helperResolver(given: Given): (id: number) => Helper {
  const known = new Map<number, Helper>();
  return (id) => {
    let helper = known.get(id);
    if (helper === undefined) {
      helper = resolve(id, given);
      known.set(id, helper);
    }
    return helper;
  };
}

function resolve(id: number, given: Given): Helper {
  const name = helperName(id);
  const own = name === undefined ? undefined : given[name];
  if (own !== undefined) return custom(own);
  const builtIn = name === undefined ? undefined : BUILT_IN[name];
  if (builtIn !== undefined) return builtIn;
  if (id === POISON)
    return (cpu) =>
      cpu.fault(
        "POISON",
        "Here the program needs a type or a field that the kernel's types lack: it should have asked before.",
      );
  return (cpu) =>
    cpu.fault(
      "UNKNOWN_HELPER",
      name === undefined
        ? `There is no helper ${id}.`
        : `The machine does not have the helper bpf_${name} (${id}): give it one by the option helpers: { ${name}: (call) => … }.`,
    );
}

/** What a kernel function's name stands for. */
export function kfuncResolver(given: Given): (name: string) => Helper {
  const known = new Map<string, Helper>();
  return (name) => {
    const own = given[name];
    let helper = known.get(name) ?? (own === undefined ? kfuncs[name] : custom(own));
    helper ??= (cpu) =>
      cpu.fault(
        "UNKNOWN_KFUNC",
        `The machine does not have the kernel function ${name}: give it one by the option kfuncs: { ${name}: (call) => … }.`,
      );
    known.set(name, helper);
    return helper;
  };
}
