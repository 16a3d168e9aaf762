import type { Features, Target } from "../../language/compiler/index.ts";
import type { HelperName } from "../../object/asm/index.ts";
import type { Btf } from "../../object/btf/index.ts";
import type { ProgramTypeName } from "../../object/spec/index.ts";
import { TracepointError } from "../../runtime/link/index.ts";
import { probeCode, probeHelper } from "../../runtime/load/index.ts";
import { possibleCpus } from "../../runtime/map/index.ts";
import { KernelBtfError, kernelBtf, kernelRelease, noTracefs, readTracefs } from "../../runtime/sys/index.ts";

/** What was asked of the kernel once: it does not change while the process runs. */
let known: Target | undefined;

/**
 * The kernel that this process runs on, as the compiler wants to know it: its types, what it can do (read off its types and
 * probed with programs that are closed at once), its tracepoints, its CPUs. Asked once. Without CAP_BPF what is probed counts as
 * missing, so that what is compiled for checking alone is careful. `tracepointFormat` throws TracepointError where tracefs cannot
 * be read: no tracepoint is known then.
 */
export function liveTarget(): Target {
  known ??= readTarget();
  return known;
}

function readTarget(): Target {
  const btf = types();
  const hasHelper = liveHelpers(btf);
  return {
    arch: process.arch === "arm64" ? "arm64" : "x64",
    byteOrder: "little",
    btf,
    release: kernelRelease(),
    cpus: possibleCpus(),
    features: liveFeatures(btf, hasHelper),
    hasHelper,
    tracepointFormat,
  };
}

/** Each is found out when the compiler first asks: most programs need few of them, and going through the types takes milliseconds. */
function liveFeatures(btf: Btf | undefined, hasHelper: Target["hasHelper"]): Features {
  const helper = (name: HelperName) => () => hasHelper(name, "tracepoint");
  // Nothing else has these names, and a look at the names alone does not go over all types.
  const kfunc = (name: string) => () => btf?.offsetOf(name) !== undefined;
  return lazily({
    fetchAtomics: () => probeCode("fetchAtomics"),
    isaV4: () => probeCode("isaV4"),
    probeReadKernel: helper("probe_read_kernel"),
    currentTaskBtf: helper("get_current_task_btf"),
    forEachMapElem: helper("for_each_map_elem"),
    loop: helper("loop"),
    rdonlyCast: kfunc("bpf_rdonly_cast"),
    iterNum: kfunc("bpf_iter_num_new"),
  });
}

/** Each helper is asked for once for each type of program. */
function liveHelpers(btf: Btf | undefined): Target["hasHelper"] {
  // By name in the kernel's types only where this user may load no program: an index of their names takes long to make.
  const listed = once(() => helpersOf(btf));
  const answers = new Map<string, boolean>();
  return (name, type) => {
    const key = `${type} ${name}`;
    const answer = answers.get(key) ?? probe(name, type) ?? listed()(name);
    answers.set(key, answer);
    return answer;
  };
}

/** Programs that are attached by ids of types may call all that raw tracepoints may, and more. */
const MORE: ReadonlySet<ProgramTypeName> = new Set<ProgramTypeName>(["tracing", "lsm"]);

function probe(name: HelperName, type: ProgramTypeName): boolean | undefined {
  if (!MORE.has(type)) return probeHelper(name, type);
  return probeHelper(name, "raw_tracepoint") === true ? true : undefined;
}

/** An object whose properties are made when they are first asked for. */
function lazily<T extends object>(makers: { readonly [K in keyof T]: () => T[K] }): T {
  const made = {};
  for (const [name, make] of Object.entries(makers) as [string, () => unknown][])
    Object.defineProperty(made, name, { get: once(make), enumerable: true });
  return made as T;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function types(): Btf | undefined {
  try {
    return kernelBtf();
  } catch (error) {
    if (error instanceof KernelBtfError) return undefined;
    throw error;
  }
}

/** Helpers that the kernel has, by the enumeration in its types. */
function helpersOf(btf: Btf | undefined): (name: string) => boolean {
  const id = btf?.find("bpf_func_id", "enum");
  const type = id === undefined ? undefined : btf?.type(id);
  const names = new Set(type?.kind === "enum" ? type.values.map(({ name }) => name) : []);
  return (name) => names.has(`BPF_FUNC_${name}`);
}

function tracepointFormat(category: string, name: string): string | undefined {
  // Names come from sources: none may lead elsewhere.
  if (!/^\w+$/.test(category) || !/^\w+$/.test(name)) return undefined;
  try {
    const text = readTracefs(`events/${category}/${name}/format`);
    if (text !== undefined) return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  throw new TracepointError(`The fields of tracepoint ${category}:${name} are in tracefs. ${noTracefs()}`);
}
