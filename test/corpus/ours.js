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

/** `{ error }` for an object that cannot be read, or `program(name)` that loads one and tells what came of it. */
export function ours(file) {
  let spec;
  try {
    spec = openObject(file);
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
