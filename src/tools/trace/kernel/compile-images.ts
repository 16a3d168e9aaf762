import { type Compiled, compile, type Target } from "../../../language/compiler/index.ts";
import { encodeProgram, type ProgramSpec } from "../../../sdk/index.ts";
import { type Image, type ImageKind, imageKinds, imageName } from "./image.ts";
import { abiOf } from "./machine.ts";
import { AGAIN } from "./spec.ts";

/** The file whose constants say what an image is made for. */
const OPTIONS = "options.bpf.ts";
/** The end of the names of programs at perf's tracepoints. */
const PERF = "_perf";
/** The program that says whose next child is the command. */
const WHO = "who";

/** What of perf's tracepoints is looked at, as tracefs has it (events/CATEGORY/NAME/format), behind what all have. */
const FIELDS: Readonly<Record<string, string>> = {
  "raw_syscalls:sys_enter":
    "field:long id; offset:8; size:8; signed:1;\nfield:unsigned long args[6]; offset:16; size:48; signed:0;",
  "raw_syscalls:sys_exit": "field:long id; offset:8; size:8; signed:1;\nfield:long ret; offset:16; size:8; signed:1;",
  "sched:sched_process_exit": "field:pid_t pid; offset:24; size:4; signed:1;",
  "signal:signal_deliver": "field:int sig; offset:8; size:4; signed:1;",
};

/** The kernel that images are compiled for: the oldest, and none in particular. Addresses and calls are all that they ask of it. */
export function imageTarget({ arch, throughPerf, compareExchange }: ImageKind): Target {
  return {
    arch,
    byteOrder: "little",
    btf: undefined,
    // Linux 7, where events go through perf, has whatever these programs call.
    release: throughPerf ? "7.0" : "5.10",
    hasHelper: () => throughPerf,
    cpus: 1,
    tracepointFormat: (category, name) => FIELDS[`${category}:${name}`],
    features: {
      fetchAtomics: compareExchange,
      isaV4: false,
      probeReadKernel: true,
      currentTaskBtf: throughPerf,
      forEachMapElem: false,
      loop: false,
      rdonlyCast: false,
      iterNum: false,
    },
  };
}

/** The source of options.bpf.ts for one image. */
export function optionsSource({ arch, target, general, throughPerf, compareExchange }: ImageKind): string {
  const { from, length, args, compat, number, savedFirst, execve, execveat } = abiOf(arch);
  const word = (offset: number) => offset / 8;
  const inside = compat.offset < length;
  const abi = {
    from,
    words: word(length),
    args: args.map(word),
    number: word(number),
    savedFirst: savedFirst ?? 0,
    execve,
    execveat,
    compat: {
      inside,
      word: inside ? word(compat.offset) : 0,
      offset: from + compat.offset,
      mask: compat.mask,
      value: compat.value,
      args: compat.args.map(word),
      execve: compat.execve,
      execveat: compat.execveat,
    },
  };
  const constants = {
    COMMAND: target === "command",
    PIDS: target === "pids",
    GENERAL: general,
    THROUGH_PERF: throughPerf,
    COMPARE_EXCHANGE: compareExchange,
    ABI: abi,
  };
  return Object.entries(constants)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`)
    .join("");
}

/** What the compiler makes of one image's source; `sources` are the `*.bpf.ts` of this folder by their names. */
export function compileImage(kind: ImageKind, sources: ReadonlyMap<string, string>, paranoid = false): Compiled {
  const files = new Map(sources).set(OPTIONS, optionsSource(kind));
  return compile({ entry: `${kind.mode}.bpf.ts`, files }, imageTarget(kind), { paranoid });
}

/** All images of an architecture by their names. Throws for what the compiler refuses. */
export function compileImages(
  arch: ImageKind["arch"],
  sources: ReadonlyMap<string, string>,
): Readonly<Record<string, Image>> {
  return Object.fromEntries(
    [...imageKinds(arch)].map((kind) => {
      const { spec, diagnostics, paths } = compileImage(kind, sources);
      if (spec !== undefined && diagnostics.length === 0) return [imageName(kind), packImage(kind, spec)];
      const said = diagnostics.map(
        ({ code, message, span }) => `${paths[span.file]}:${span.start} ${code}: ${message}`,
      );
      throw new Error([`The image ${imageName(kind)} cannot be compiled.`, ...said].join("\n"));
    }),
  );
}

function packImage(kind: ImageKind, { programs, maps, variables = {} }: NonNullable<Compiled["spec"]>): Image {
  const packed: Record<string, Image["programs"][string]> = {};
  const referred = new Set<string>();
  for (const [name, program] of Object.entries(programs)) {
    const own = nameIn(name, kind, programs);
    if (own === undefined) continue;
    const { bytes, maps } = encodeProgram(program.instructions);
    for (const { map } of maps) referred.add(map);
    const type = program.type as "raw_tracepoint" | "tracepoint";
    packed[own] = { type, bytes: Buffer.from(bytes).toString("base64"), maps };
  }
  const data: Record<string, number> = {};
  for (const name of referred) if (name.startsWith(".")) data[name] = maps[name]?.valueSize ?? 0;
  const params: Record<string, number> = {};
  if (referred.has(".rodata"))
    for (const [name, { map, offset }] of Object.entries(variables)) if (map === ".rodata") params[name] = offset;
  return { programs: packed, data, params };
}

/** What a program of the source is called in an image; undefined when the image has it not. */
function nameIn(name: string, kind: ImageKind, all: Readonly<Record<string, ProgramSpec>>): string | undefined {
  const { throughPerf, target } = kind;
  if (name === WHO && target !== "command") return undefined;
  if (name.endsWith(PERF)) return throughPerf ? name.slice(0, -PERF.length) : undefined;
  if (name.endsWith(AGAIN)) return throughPerf ? name : undefined;
  return throughPerf && Object.hasOwn(all, `${name}${PERF}`) ? undefined : name;
}
