import type { MapSpec, ObjectSpec } from "../../object/spec/index.ts";
import type { Link } from "../link/index.ts";
import { type BpfMap, createMap, type LiveMap } from "../map/index.ts";
import { BesideWork } from "./beside-work.ts";
import { loadProgram } from "./load-program.ts";
import { neededCapabilities, type Program } from "./program.ts";

/** Live maps and programs by the names of their spec. Closing it closes them all. */
export interface AssembledObject<S extends ObjectSpec = ObjectSpec> {
  readonly maps: { readonly [K in keyof S["maps"]]: S["maps"][K] extends MapSpec ? LiveMap<S["maps"][K]> : BpfMap };
  readonly programs: { readonly [K in keyof S["programs"]]: Program };
  /** Attachments that were made with it; closed with it. */
  readonly links: readonly Link[];
  close(): void;
  [Symbol.dispose](): void;
}

/** What an object is loaded with. */
export interface LoadOptions {
  /** Live maps to use instead of creating the spec's; they stay their owner's and are not closed with the object. */
  readonly maps?: Readonly<Record<string, BpfMap>>;
}

/** An object whose programs are still with the verifier. `finish()` or `cancel()` must be called. */
export interface PendingObject<S extends ObjectSpec = ObjectSpec> {
  /** There already: they can be filled and read. */
  readonly maps: AssembledObject<S>["maps"];
  /** Waits for the verifier. Throws what `loadAssembled` throws; then nothing of the object stays. */
  readonly finish: () => AssembledObject<S>;
  /** Gives up what was made. */
  readonly cancel: () => void;
}

/**
 * Loads a spec that was assembled in this process and refers to no type of the kernel's: what `loadObject` does, without
 * the weight of BTF and CO-RE. When one part fails, those made before it are closed again: the kernel is left as it was.
 * Throws SystemError, VerifierError or UnknownMapError. Needs CAP_BPF, and CAP_PERFMON for tracing or CAP_NET_ADMIN for
 * networking programs.
 */
export function loadAssembled<const S extends ObjectSpec>(spec: S, options: LoadOptions = {}): AssembledObject<S> {
  return begin(spec, options, undefined).finish();
}

export interface BesideOptions extends LoadOptions {
  /** Raw tracepoints that programs are attached to once they are loaded, by program, in this order. */
  readonly rawTracepoints?: Readonly<Record<string, string>>;
}

/**
 * `loadAssembled`, with the verifier at work on a thread beside, so that the caller can do something else meanwhile: it
 * takes milliseconds. The maps are made when this returns.
 */
export function beginAssembled<const S extends ObjectSpec>(spec: S, options: BesideOptions = {}): PendingObject<S> {
  return begin(spec, options, options.rawTracepoints ?? {});
}

function begin<const S extends ObjectSpec>(
  spec: S,
  options: LoadOptions,
  beside: Readonly<Record<string, string>> | undefined,
): PendingObject<S> {
  const maps: Record<string, BpfMap> = {};
  const programs: Record<string, Program> = {};
  const links: Link[] = [];
  const needs = [...new Set(Object.values(spec.programs).flatMap(({ type }) => neededCapabilities(type)))];
  let work: BesideWork | undefined;
  const close = () => {
    work?.take(programs, links);
    work = undefined;
    for (const link of links) link.close();
    for (const program of Object.values(programs)) program.close();
    for (const [name, map] of Object.entries(maps)) if (options.maps?.[name] !== map) map.close();
  };
  try {
    for (const [name, map] of Object.entries(spec.maps)) {
      maps[name] =
        options.maps?.[name] ?? (createMap(map, map.name ?? name, needs.length > 0 ? needs : undefined) as BpfMap);
    }
    if (beside !== undefined) work = BesideWork.start(spec, maps, beside);
  } catch (error) {
    close();
    throw error;
  }
  const finish = () => {
    try {
      const isWhole = work?.take(programs, links) ?? false;
      work = undefined;
      if (!isWhole) {
        // What was refused is asked for again here: for the reasons, or because the limit of locked memory has to be raised.
        for (const link of links.splice(0)) link.close();
        for (const [name, program] of Object.entries(spec.programs))
          programs[name] ??= loadProgram(name, program, maps);
        fillProgramArrays(spec, maps, programs);
        for (const [name, tracepoint] of Object.entries(beside ?? {})) {
          const program = programs[name];
          if (program !== undefined) links.push(program.attachRawTracepoint(tracepoint));
        }
      }
    } catch (error) {
      close();
      throw error;
    }
    return { maps, programs, links, close, [Symbol.dispose]: close } as unknown as AssembledObject<S>;
  };
  return { maps: maps as AssembledObject<S>["maps"], finish, cancel: close };
}

/** Programs in the slots that the spec gives them. */
function fillProgramArrays(
  spec: ObjectSpec,
  maps: Readonly<Record<string, BpfMap>>,
  programs: Readonly<Record<string, Program>>,
): void {
  for (const [name, { slots }] of Object.entries(spec.maps)) {
    for (const [slot, wanted] of Object.entries(slots ?? {})) {
      const fd = programs[wanted]?.fd.number;
      if (fd !== undefined) maps[name]?.setRaw(word(Number(slot)), word(fd));
    }
  }
}

function word(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
