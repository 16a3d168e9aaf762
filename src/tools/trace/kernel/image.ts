import { decodeProgram, type MapReference, type ProgramSpec } from "../../../sdk/index.ts";
import type { KernelOptions } from "./options.ts";
import { programSpec } from "./program-spec.ts";

/**
 * The trace programs for one set of options, compiled by the build (compile-images.ts): bytes as base64, with the maps that they
 * refer to. Plain data that JSON keeps.
 */
export interface Image {
  readonly programs: Readonly<
    Record<
      string,
      {
        readonly type: "raw_tracepoint" | "tracepoint";
        readonly bytes: string;
        readonly maps: readonly MapReference[];
      }
    >
  >;
  /** Bytes of the maps that the compiler made for variables and counters, by their names. */
  readonly data: Readonly<Record<string, number>>;
  /** Where in `.rodata` the parameters stand; those of filters and of the pid namespace, in images that have them. */
  readonly params: Readonly<Record<string, number>>;
}

/** Which image the options ask for. What an image is made for stands in options.bpf.ts. */
export interface ImageKind {
  readonly arch: "x64" | "arm64";
  readonly target: KernelOptions["target"];
  readonly mode: KernelOptions["mode"];
  readonly throughPerf: boolean;
  /** With the parameters; where nothing is filtered, and no pid namespace is Skep's own, there is an image without them. */
  readonly general: boolean;
  readonly compareExchange: boolean;
}

/** Whether the options take an image with parameters. Statistics are of all calls, and only looking for processes asks for ids. */
function isGeneral({ mode, target, failedOnly, minNs, pidNamespace }: KernelOptions): boolean {
  if (mode === "summary") return target === "pids" && pidNamespace !== undefined;
  return pidNamespace !== undefined || failedOnly || minNs > 0;
}

export function imageKind(options: KernelOptions): ImageKind {
  const { arch, target, mode, throughPerf = false } = options;
  // Calls alone need no compare-and-exchange; where events go through perf (Linux 7), there always is one.
  const compareExchange = mode === "calls" || throughPerf || options.compareExchange;
  return { arch, target, mode, throughPerf, general: isGeneral(options), compareExchange };
}

/** All that there are, for one architecture. */
export function* imageKinds(arch: ImageKind["arch"]): Generator<ImageKind> {
  for (const target of ["command", "pids", "cgroup"] as const)
    for (const mode of ["calls", "summary"] as const)
      for (const general of mode === "calls" || target === "pids" ? [false, true] : [false]) {
        yield { arch, target, mode, general, throughPerf: false, compareExchange: true };
        yield { arch, target, mode, general, throughPerf: true, compareExchange: true };
        if (mode === "summary") yield { arch, target, mode, general, throughPerf: false, compareExchange: false };
      }
}

/** An image's name, which is that of its file. */
export function imageName({ arch, target, mode, general, throughPerf, compareExchange }: ImageKind): string {
  const special = [throughPerf && "perf", general && "general", !compareExchange && "add-only"].filter(Boolean);
  return [arch, target, mode, ...special].join("-");
}

export function unpackImage({ programs }: Image): Record<string, ProgramSpec> {
  const unpacked: Record<string, ProgramSpec> = {};
  for (const [name, { type, bytes, maps }] of Object.entries(programs)) {
    const code = { bytes: new Uint8Array(Buffer.from(bytes, "base64")), maps };
    unpacked[name] = {
      ...programSpec(name, type),
      code,
      // Only wanted when the verifier refuses the program, or a person looks.
      get instructions() {
        return decodeProgram(code);
      },
    };
  }
  return unpacked;
}
