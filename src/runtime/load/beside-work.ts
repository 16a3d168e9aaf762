import type { ObjectSpec } from "../../object/spec/index.ts";
import { Link } from "../link/index.ts";
import type { BpfMap } from "../map/index.ts";
import { BackgroundCalls, BpfAttr, type Call, Fd } from "../sys/index.ts";
import { programCall } from "./load-program.ts";
import { Program } from "./program.ts";

/** What one call of the batch makes. */
type Made =
  | { readonly kind: "program"; readonly name: string }
  | { readonly kind: "slot" }
  | { readonly kind: "link"; readonly description: string };

/** Place of the program's descriptor in BPF_RAW_TRACEPOINT_OPEN's attributes. */
const TRACEPOINT_PROGRAM = 8;

/**
 * Loading on a thread beside: programs in the order of the spec, then their slots in program arrays, then their raw
 * tracepoints. Descriptors go from call to call without JavaScript between them.
 */
export class BesideWork {
  readonly #spec: ObjectSpec;
  readonly #made: readonly Made[];
  readonly #calls: BackgroundCalls;

  private constructor(spec: ObjectSpec, made: readonly Made[], calls: BackgroundCalls) {
    this.#spec = spec;
    this.#made = made;
    this.#calls = calls;
  }

  /** Undefined when no thread can be had. */
  static start(
    spec: ObjectSpec,
    maps: Readonly<Record<string, BpfMap>>,
    rawTracepoints: Readonly<Record<string, string>>,
  ): BesideWork | undefined {
    const calls: Call[] = [];
    const made: Made[] = [];
    const descriptors = new Map<string, Uint8Array>();
    for (const [name, program] of Object.entries(spec.programs)) {
      const store = new Uint8Array(4);
      descriptors.set(name, store);
      calls.push({ ...programCall(name, program, maps), store });
      made.push({ kind: "program", name });
    }
    for (const [name, { slots }] of Object.entries(spec.maps)) {
      const map = maps[name];
      for (const [slot, wanted] of Object.entries(slots ?? {})) {
        const value = descriptors.get(wanted);
        if (map === undefined || value === undefined) continue;
        const key = new Uint8Array(Uint32Array.of(Number(slot)).buffer);
        const attr = new BpfAttr().u32(0, map.fd.number).pointer(8, key).pointer(16, value).u64(24, 0);
        calls.push(attr.later("BPF_MAP_UPDATE_ELEM"));
        made.push({ kind: "slot" });
      }
    }
    for (const [name, tracepoint] of Object.entries(rawTracepoints)) {
      const i = made.findIndex((one) => one.kind === "program" && one.name === name);
      const load = calls[i];
      if (load === undefined) continue;
      const open = new BpfAttr().cString(0, tracepoint).u32(TRACEPOINT_PROGRAM, 0).later("BPF_RAW_TRACEPOINT_OPEN");
      const block = open.args[1] as Uint8Array;
      // The descriptor goes to where the tracepoint's call reads it; slots need it elsewhere, so those programs have none.
      calls[i] = { ...load, store: block.subarray(TRACEPOINT_PROGRAM) };
      calls.push(open);
      made.push({ kind: "link", description: `raw tracepoint ${tracepoint}` });
    }
    const started = BackgroundCalls.start(calls);
    return started === undefined ? undefined : new BesideWork(spec, made, started);
  }

  /** Waits, and puts what was made into `programs` and `links`. Whether every call succeeded. */
  take(programs: Record<string, Program>, links: Link[]): boolean {
    const results = this.#calls.join();
    for (const [i, one] of this.#made.entries()) {
      const result = results[i] ?? -1;
      if (result < 0) continue;
      if (one.kind === "program") {
        const spec = this.#spec.programs[one.name];
        if (spec !== undefined)
          programs[one.name] = new Program(one.name, spec, new Fd(result, `program "${one.name}"`));
      } else if (one.kind === "link") {
        links.push(new Link(one.description, { link: new Fd(result, `link to ${one.description}`) }));
      }
    }
    return results.every((result) => result >= 0);
  }
}
