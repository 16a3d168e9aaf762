import { unlinkSync } from "node:fs";
import { loadObject, type ObjectSpec } from "../../sdk/index.ts";

/** What came of loading an object. */
export interface LoadReport {
  readonly schema: "skep.object-load/1";
  readonly programs: readonly { readonly name: string; readonly type: string }[];
  readonly maps: readonly { readonly name: string; readonly type: string; readonly pinned?: string }[];
}

export interface LoadRequest {
  /** Which programs; all but the optional ones when left out. */
  readonly programs?: readonly string[];
  /** A folder in a bpffs where all maps are pinned, so that they stay. */
  readonly pin?: string;
}

/**
 * Loads an object, and lets it go again: what the kernel says of it is the result. Throws what `loadObject` throws, and
 * SystemError for a pin that cannot be made.
 */
export function loadAndReport(spec: ObjectSpec, request: LoadRequest = {}): LoadReport {
  using object = loadObject(spec, {
    // Nothing is to stay of a trial.
    pinPath: false,
    ...(request.programs !== undefined && { programs: request.programs }),
  });
  const pins: string[] = [];
  const maps = Object.entries(object.maps).map(([name, map]) => {
    if (request.pin === undefined) return { name, type: map.info.type };
    // A bpffs takes no dots in names.
    const pinned = `${request.pin}/${name.replace(/^\./, "").replaceAll(".", "_")}`;
    try {
      map.pin(pinned);
    } catch (error) {
      for (const made of pins) unlinkSync(made);
      throw error;
    }
    pins.push(pinned);
    return { name, type: map.info.type, pinned };
  });
  const programs = Object.entries(object.programs).map(([name, program]) => ({ name, type: program.spec.type }));
  return { schema: "skep.object-load/1", programs, maps };
}
