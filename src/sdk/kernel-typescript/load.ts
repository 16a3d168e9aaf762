import type { Sources } from "../../language/compiler/index.ts";
import { type ObjectLoadOptions, VerifierError } from "../../runtime/load/index.ts";
import { compileModule, compileOtherwise, keepModule } from "./compile-module.ts";
import type { Compiled } from "./compiled.ts";
import { findSource } from "./find-source.ts";
import { gatherSources, type SourceOption, sourceOf } from "./gather-sources.ts";
import { loadCompiled } from "./load-compiled.ts";
import { loadOtherwise } from "./load-otherwise.ts";
import type { Loaded, ParamsOf } from "./loaded-types.ts";

/** How a module of kernel code is loaded. */
export interface LoadModuleOptions<X> extends Pick<ObjectLoadOptions, "pinPath" | "token" | "kernelBtf"> {
  /** Values of the module's parameters (`param`); those that are not named keep their first ones. 64 bits may be numbers, too. */
  readonly params?: ParamsOf<X>;
  /**
   * Where the module's TypeScript is: a path, a URL, or its text. Found by itself where Node, tsx or vitest ran the TypeScript, or
   * JavaScript with a source map that holds it.
   */
  readonly source?: SourceOption;
  /** Ends it: aborted before, nothing is loaded; later, the module is closed. */
  readonly signal?: AbortSignal;
  /** `false` compiles anew and keeps nothing (`~/.cache/skep`). */
  readonly cache?: boolean;
}

/**
 * Compiles a module of kernel code (`*.bpf.ts`) for the running kernel and loads it: `using bpf = await load(import("./open.bpf.ts"))`.
 * What it exports is in `maps`, `events`, `globals` and `programs`, typed by the module itself; `attach()` puts the programs to
 * work. The caller closes it.
 *
 * Throws SourceError (the TypeScript cannot be found), CompileError (it is refused, by the compiler or by the
 * kernel: the message shows where and why),
 * VariableError (parameters), and what `loadObject` throws. Needs CAP_BPF, and CAP_PERFMON for tracing.
 */
export async function load<X extends object>(
  module: X | PromiseLike<X>,
  options: LoadModuleOptions<NoInfer<X>> = {},
): Promise<Loaded<X>> {
  const { params = {}, source, signal, cache = true, ...rest } = options;
  signal?.throwIfAborted();
  const exports = await module;
  const sources = gatherSources(source === undefined ? findSource(exports) : sourceOf(source), Object.keys(exports));
  const compiled = await compileModule(sources, { cache });
  signal?.throwIfAborted();
  const { loaded, compiled: taken } = await loadOrExplain(exports, compiled, params as ParamsOf<X>, rest, sources);
  if (taken !== compiled && cache) keepModule(sources, taken);
  signal?.addEventListener("abort", () => loaded.close(), { once: true });
  return loaded;
}

async function loadOrExplain<X extends object>(
  exports: X,
  compiled: Compiled,
  params: ParamsOf<X>,
  options: Parameters<typeof loadCompiled>[3],
  sources: Sources,
): Promise<{ readonly loaded: Loaded<X>; readonly compiled: Compiled }> {
  const others = () => compileOtherwise(sources, compiled);
  try {
    return await loadOtherwise(compiled, others, (one) => loadCompiled(exports, one, params, options));
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    const { refusal } = await import("./refusal.ts");
    throw await refusal(error, compiled.spec, sources);
  }
}
