import { decodeProgram, encodeProgram, type MapReference, type ProgramSpec } from "../../../sdk/index.ts";
import type { KernelOptions } from "./options.ts";
import { programSpec } from "./program-spec.ts";

/** Encoded programs by name: their bytes as base64, and their references to maps. Plain data that JSON keeps. */
export type Image = Readonly<Record<string, { readonly bytes: string; readonly maps: readonly MapReference[] }>>;

/** The name of an image; undefined for options that ask for programs made to measure. */
export function imageName(options: KernelOptions): string | undefined {
  const { target, mode, failedOnly, minNs, compareExchange, pidNamespace, throughPerf } = options;
  if (throughPerf === true || failedOnly || minNs > 0 || !compareExchange || pidNamespace !== undefined)
    return undefined;
  return `${target}-${mode}`;
}

export function packImage(programs: Readonly<Record<string, ProgramSpec>>): Image {
  return Object.fromEntries(
    Object.entries(programs).map(([name, { instructions }]) => {
      const { bytes, maps } = encodeProgram(instructions);
      return [name, { bytes: Buffer.from(bytes).toString("base64"), maps }];
    }),
  );
}

export function unpackImage(image: Image): Record<string, ProgramSpec> {
  const programs: Record<string, ProgramSpec> = {};
  for (const [name, { bytes, maps }] of Object.entries(image)) {
    const code = { bytes: new Uint8Array(Buffer.from(bytes, "base64")), maps };
    programs[name] = {
      ...programSpec(name, []),
      code,
      // Only wanted when the verifier refuses the program, or a person looks.
      get instructions() {
        return decodeProgram(code);
      },
    };
  }
  return programs;
}
