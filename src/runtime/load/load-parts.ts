import { type Btf, CoreResolver, MACHINE_ORDER } from "../../object/btf/index.ts";
import {
  lazyOf,
  type ObjectSpec,
  type ProgramSpec,
  withCode,
  withInstructions,
  withVariables,
} from "../../object/spec/index.ts";
import type { BpfMap } from "../map/index.ts";
import type { Fd } from "../sys/index.ts";
import type { TargetProgram } from "./attach-target.ts";
import { type Extern, resolveExterns } from "./externs.ts";
import { kernelVersionCode } from "./kconfig.ts";
import { KernelTypes } from "./kernel-types.ts";
import { type LiveVariable, liveVariables } from "./live-variables.ts";
import { type FittedProgram, LoadAhead } from "./load-ahead.ts";
import type { LoadOptions } from "./load-assembled.ts";
import { type LoadDetails, loadProgram } from "./load-program.ts";
import { BtfLoadError, loadObjectTypes, stringOffsets } from "./object-btf.ts";
import { ObjectError } from "./object-error.ts";
import { ObjectMaps } from "./object-maps.ts";
import { own } from "./own.ts";
import { type PreparedProgram, prepareProgram } from "./prepare-program.ts";
import { neededCapabilities, type Program } from "./program.ts";
import { type ObjectShape, type Place, shapeOf } from "./replace/shape.ts";
import { type Points, put, Switch, takesSwitch } from "./replace/switch.ts";
import { fillStructOps, structOpsTargets } from "./struct-ops.ts";
import { fitUsdt } from "./usdt-program.ts";
import { explain, explanationText } from "./verifier/explain.ts";
import { VerifierError } from "./verifier-error.ts";

/** How an object is loaded. */
export interface ObjectLoadOptions extends LoadOptions {
  /** Which programs; all but the optional ones (`SEC("?…")`) when left out. */
  readonly programs?: readonly string[];
  /** Values of global variables from the start, by name; the only way to set const ones. Typed by the object's BTF. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /**
   * Loaded programs that programs of the object are for, by these programs' name: `SEC("freplace/FUNCTION")` replaces a function
   * of one, `SEC("fentry/FUNCTION")` and `fexit` trace it. Without a function it is the program itself.
   */
  readonly targets?: Readonly<Record<string, TargetProgram>>;
  /** Types of this very kernel, where it has none of its own. */
  readonly kernelBtf?: Btf;
  /**
   * The folder in a bpffs where maps pinned by name (`LIBBPF_PIN_BY_NAME`) are found or pinned; `/sys/fs/bpf` when left
   * out. `false` keeps them to this process. A map that is there must be of the same kind; the pins outlive the object.
   */
  readonly pinPath?: string | false;
  /** The rights that a bpffs delegates to this process's user namespace (`createToken`, Linux 6.9). It stays the caller's. */
  readonly token?: Fd;
  /**
   * Attaches programs so that `replace` can put others in their place without a gap, also where the kernel has no way to
   * update an attachment (tracing, probes, LSM): each event takes some nanoseconds longer. Linux 5.2.
   */
  readonly replaceable?: boolean;
  /** Told of each program as it is about to be given to the kernel. */
  readonly observe?: (name: string, program: PreparedProgram) => void;
}

/** What one load made. */
export interface Parts {
  readonly shape: () => ObjectShape;
  /** Programs in slots of maps, which others call: nothing else runs them. */
  readonly called: ReadonlySet<string>;
  readonly made: ObjectMaps;
  readonly programs: Readonly<Record<string, Program>>;
  readonly variables: Readonly<Record<string, LiveVariable>>;
  readonly closeVariables: () => void;
  /** Where programs are attached through it; of an object that takes another's place it is that one's. */
  readonly switch: Switch | undefined;
  /** What is attached in the place of programs, by their names. */
  readonly points: ReadonlyMap<string, Points>;
}

/** The object whose place is taken. */
export interface Taken {
  readonly switch: Switch | undefined;
  /** What is attached in the place of its program of this name, where it is for the same target. */
  pointsOf(name: string, place: Place): Points | undefined;
}

/**
 * Makes an object's maps and loads its programs; when one part fails, those made before it are closed again. Programs for the
 * same targets as those of `taken` are put on the other side of its switch.
 */
export function loadParts(object: ObjectSpec, options: ObjectLoadOptions, taken?: Taken): Parts {
  const spec = options.variables === undefined ? object : withVariables(object, options.variables);
  checkByteOrder(spec);
  const chosen = choosePrograms(spec, options.programs, fitUsdt);
  const needs = [...new Set(Object.values(chosen).flatMap(({ type }) => neededCapabilities(type)))];
  const made = new ObjectMaps(options.maps);
  const maps = made.live;
  const programs: Record<string, Program> = Object.create(null);
  const points = new Map<string, Points>();
  let sides = taken?.switch;
  let ahead: LoadAhead | undefined;
  using kernel = new KernelTypes(options.kernelBtf);
  const { types, refusal } = offerTypes(spec, options.token);
  try {
    if (options.replaceable === true) sides ??= Switch.make(needs, options.token);
    const prepared = prepareAll(spec, chosen, kernel, options);
    made.create(spec, kernel, types, needs.length > 0 ? needs : undefined, options);
    const inOrder = Object.entries(chosen).map(([name, program]) =>
      fitted(name, program, prepared[name] as PreparedProgram, spec, { kernel, types, token: options.token }),
    );
    // Who looks on sees one after the other.
    ahead = options.observe === undefined ? LoadAhead.start(inOrder, maps) : undefined;
    for (const one of inOrder) {
      const { name, spec: program, details } = one;
      options.observe?.(name, prepared[name] as PreparedProgram);
      const loaded = ahead?.take(one) ?? loadExplained(spec, one, maps);
      programs[name] = loaded;
      if (sides === undefined || !takesSwitch(program)) continue;
      const at = taken?.pointsOf(name, program) ?? sides.add(name, program, details);
      points.set(name, at);
      put(at, taken === undefined ? sides.side : sides.other, loaded);
    }
    fillSlots(spec, made, programs);
    fillStructOps(maps, programs);
    const { variables, close } = liveVariables(spec, maps);
    return {
      shape: () => shapeOf(spec, chosen),
      called: new Set(Object.values(spec.maps).flatMap(({ slots }) => Object.values(slots ?? {}))),
      made,
      programs,
      variables,
      closeVariables: close,
      switch: sides,
      points,
    };
  } catch (error) {
    // It may be loading programs with maps of this object.
    ahead?.close();
    for (const program of Object.values(programs)) program.close();
    giveUpPoints(sides, points, taken);
    made.giveUp();
    if (refusal !== undefined && error instanceof Error) error.cause ??= refusal;
    throw error;
  } finally {
    ahead?.close();
    types?.close();
  }
}

/** A program as it is prepared, and what goes to the kernel with it. */
function fitted(
  name: string,
  program: ProgramSpec,
  prepared: PreparedProgram,
  { kernelVersion }: ObjectSpec,
  {
    kernel,
    types,
    token,
  }: { readonly kernel: KernelTypes; readonly types: Fd | undefined; readonly token: Fd | undefined },
): FittedProgram {
  const { code, info, attach, modules, member } = prepared;
  const details: LoadDetails = {
    types,
    info,
    member,
    token,
    attach:
      attach === undefined
        ? undefined
        : {
            id: attach.id,
            types: attach.program ?? (attach.module === undefined ? undefined : kernel.moduleFd(attach.module)),
          },
    descriptors:
      modules.length === 0
        ? undefined
        : Int32Array.from([0, ...modules.map((module) => kernel.moduleFd(module).number)]),
    // Kprobes had to name the running kernel's version before Linux 5.0.
    kernelVersion: program.type === "kprobe" ? (kernelVersion ?? kernelVersionCode()) : undefined,
  };
  // Of its own: the object's may be changed and loaded again.
  const spec = withInstructions(withCode(program, code), lazyOf(prepared));
  return { name, spec, details };
}

/** Takes back what was put on a switch for programs that do not come into force. */
export function giveUpPoints(
  sides: Switch | undefined,
  points: ReadonlyMap<string, Points>,
  taken: Taken | undefined,
): void {
  if (sides === undefined) return;
  if (taken?.switch === undefined) {
    sides.close();
    return;
  }
  sides.clear(sides.other);
  for (const [name, at] of points) if (taken.pointsOf(name, at.program.spec) !== at) sides.remove(at);
}

/**
 * Gives the object's types to the kernel. Most objects do without: where the kernel refuses them the load goes on, and what
 * it says of them is the cause of an error that comes of it.
 */
function offerTypes(
  spec: ObjectSpec,
  token: Fd | undefined,
): { readonly types?: Fd | undefined; readonly refusal?: BtfLoadError } {
  try {
    return { types: loadObjectTypes(spec, token) };
  } catch (error) {
    if (error instanceof BtfLoadError && error.code !== "EPERM") return { refusal: error };
    throw error;
  }
}

/** `loadProgram`, whose error is explained by the object's types and source lines. */
function loadExplained(
  { btf }: ObjectSpec,
  { name, spec, details }: FittedProgram,
  maps: Readonly<Record<string, BpfMap>>,
): Program {
  try {
    return loadProgram(name, spec, maps, details);
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    const explanation = explain(error.log, spec.instructions, btf);
    throw new VerifierError(name, error.errno, error.log, spec.instructions, {
      explanation,
      text: explanationText(explanation),
    });
  }
}

/**
 * The programs as they would be loaded on this kernel; nothing is given to it. Throws what `loadObject` would throw
 * before the kernel is asked.
 */
export function prepareObject(
  spec: ObjectSpec,
  options: Pick<ObjectLoadOptions, "programs" | "kernelBtf" | "targets"> = {},
): Readonly<Record<string, PreparedProgram>> {
  checkByteOrder(spec);
  using kernel = new KernelTypes(options.kernelBtf);
  return prepareAll(spec, choosePrograms(spec, options.programs), kernel, options);
}

function prepareAll(
  spec: ObjectSpec,
  chosen: Readonly<Record<string, ProgramSpec>>,
  kernel: KernelTypes,
  options: Pick<ObjectLoadOptions, "kernelBtf" | "targets">,
): Readonly<Record<string, PreparedProgram>> {
  const { btf } = spec;
  const externs: ReadonlyMap<string, Extern> = resolveExterns(spec, kernel);
  const resolver =
    btf === undefined
      ? undefined
      : new CoreResolver(btf, {
          get kernel() {
            return kernel.vmlinux;
          },
          ...(options.kernelBtf === undefined && { modules: () => kernel.modules.map((module) => module.btf) }),
        });
  let offsets: ReadonlyMap<string, number> | undefined;
  const strings = () => (offsets ??= btf === undefined ? undefined : stringOffsets(btf));
  const structOps = structOpsTargets(spec, kernel);
  const preparation = { kernel, externs, resolver, strings, structOps, targets: options.targets };
  return Object.fromEntries(
    Object.entries(chosen).map(([name, program]) => [name, prepareProgram(name, program, spec, preparation)]),
  );
}

function checkByteOrder({ byteOrder }: ObjectSpec): void {
  if (byteOrder === undefined || byteOrder === MACHINE_ORDER) return;
  throw new ObjectError(
    `The object was compiled for ${byteOrder}-endian machines and this one is ${MACHINE_ORDER}-endian: compile it with -target ${MACHINE_ORDER === "little" ? "bpfel" : "bpfeb"}.`,
  );
}

function choosePrograms(
  spec: ObjectSpec,
  wanted: readonly string[] | undefined,
  adapt: (program: ProgramSpec) => ProgramSpec = (program) => program,
): Readonly<Record<string, ProgramSpec>> {
  const all = Object.entries(spec.programs);
  const names = wanted ?? all.filter(([, { optional }]) => optional !== true).map(([name]) => name);
  return Object.fromEntries(
    names.map((name) => {
      const program = own(spec.programs, name);
      if (program === undefined)
        throw new ObjectError(
          `The object has no program "${name}" (it has: ${Object.keys(spec.programs).join(", ") || "none"}).`,
        );
      return [name, adapt(program)];
    }),
  );
}

/** Maps and programs that others hold from the start, once all are there. */
function fillSlots(spec: ObjectSpec, made: ObjectMaps, programs: Readonly<Record<string, Program>>): void {
  const maps = made.live;
  for (const [name, { slots }] of Object.entries(spec.maps)) {
    const map = maps[name];
    if (slots === undefined || map === undefined || !made.fillsSlots(name)) continue;
    for (const [slot, wanted] of Object.entries(slots)) {
      const fd = maps[wanted]?.fd ?? programs[wanted]?.fd;
      // A program that was not chosen leaves its slot empty.
      if (fd === undefined) continue;
      map.setRaw(words(map.info.keySize, Number(slot)), words(4, fd.number));
    }
  }
}

function words(size: number, value: number): Uint8Array {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
