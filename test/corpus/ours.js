// What Skep gives to the kernel for each program of an object, loaded by itself.
import { AttachType, loadObject, openObject, ProgramType } from "../../dist/sdk/index.js";

/** Code without the descriptors of maps. */
function withoutDescriptors({ bytes, maps }) {
  const copy = Buffer.from(bytes);
  for (const { slot, valueOffset } of maps) {
    copy.writeInt32LE(0, slot * 8 + 4);
    copy.writeInt32LE(valueOffset ?? 0, slot * 8 + 12);
  }
  return copy.toString("hex");
}

/** What the tools themselves set before they load their objects; as in reference.c. */
function withSizes(spec) {
  const sized = (map) => {
    const isSized = map.type === "hash" || map.type === "array" || map.type === "stack_trace";
    return {
      ...map,
      ...(map.maxEntries === 0 && isSized && { maxEntries: 64 }),
      ...(map.valueSize === 0 && map.type === "stack_trace" && { valueSize: 127 * 8 }),
    };
  };
  return { ...spec, maps: Object.fromEntries(Object.entries(spec.maps).map(([name, map]) => [name, sized(map)])) };
}

/** `{ error }` for an object that cannot be read, or `program(name)` that loads one and tells what came of it. */
export function ours(file) {
  let spec;
  try {
    spec = withSizes(openObject(file));
  } catch (error) {
    return { error: error.message };
  }
  return {
    program(name) {
      const key = Object.hasOwn(spec.programs, name) ? name : undefined;
      if (key === undefined) return undefined;
      let seen;
      let failure;
      try {
        loadObject(spec, {
          programs: [key],
          pinPath: false,
          observe: (_, prepared) => {
            seen = prepared;
          },
        }).close();
      } catch (error) {
        failure = error;
      }
      const { type, expectedAttachType, flags = 0 } = spec.programs[key];
      return {
        failure,
        ...(seen !== undefined && {
          type: ProgramType[type],
          attachType: expectedAttachType === undefined ? 0 : AttachType[expectedAttachType],
          flags,
          target: seen.attach?.id ?? 0,
          functions: (seen.info?.functions.length ?? 0) / 8,
          lines: (seen.info?.lines.length ?? 0) / 16,
          code: withoutDescriptors(seen.code),
        }),
      };
    },
  };
}
