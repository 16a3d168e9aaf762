import type { MapSpec, ObjectSpec } from "../../object/spec/index.ts";
import { type BpfMap, createMap, type LiveMap } from "../map/index.ts";
import { loadProgram } from "./load-program.ts";
import { neededCapabilities, type Program } from "./program.ts";

/** A loaded object: live maps and programs by the names of its spec. Closing it closes them all. */
export interface LoadedObject<S extends ObjectSpec = ObjectSpec> {
  readonly maps: { readonly [K in keyof S["maps"]]: S["maps"][K] extends MapSpec ? LiveMap<S["maps"][K]> : BpfMap };
  readonly programs: { readonly [K in keyof S["programs"]]: Program };
  close(): void;
  [Symbol.dispose](): void;
}

export interface LoadOptions {
  /** Live maps to use instead of creating the spec's; they stay their owner's and are not closed with the object. */
  readonly maps?: Readonly<Record<string, BpfMap>>;
}

/**
 * Loads a spec that was assembled in this process and refers to no type of the kernel's: what `loadObject` does, without
 * the weight of BTF and CO-RE. When one part fails, those made before it are closed again: the kernel is left as it was.
 * Throws SystemError, VerifierError or UnknownMapError. Needs CAP_BPF, and CAP_PERFMON for tracing or CAP_NET_ADMIN for
 * networking programs.
 */
export function loadAssembled<const S extends ObjectSpec>(spec: S, options: LoadOptions = {}): LoadedObject<S> {
  const maps: Record<string, BpfMap> = {};
  const programs: Record<string, Program> = {};
  const needs = [...new Set(Object.values(spec.programs).flatMap(({ type }) => neededCapabilities(type)))];
  const close = () => {
    for (const program of Object.values(programs)) program.close();
    for (const [name, map] of Object.entries(maps)) if (options.maps?.[name] !== map) map.close();
  };
  try {
    for (const [name, map] of Object.entries(spec.maps)) {
      maps[name] =
        options.maps?.[name] ?? (createMap(map, map.name ?? name, needs.length > 0 ? needs : undefined) as BpfMap);
    }
    for (const [name, program] of Object.entries(spec.programs)) programs[name] = loadProgram(name, program, maps);
  } catch (error) {
    close();
    throw error;
  }
  return { maps, programs, close, [Symbol.dispose]: close } as unknown as LoadedObject<S>;
}
