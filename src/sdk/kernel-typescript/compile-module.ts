import type { layoutOfType as LayoutOf, Module, Sources } from "../../language/compiler/index.ts";
import { CompileError } from "./compile-error.ts";
import type { Compiled, PrintFormat } from "./compiled.ts";
import { ImageCache } from "./image-cache.ts";
import { shownPath } from "./shown-path.ts";

/**
 * What sources compile to for the running kernel: from the cache, or compiled now, which loads the compiler. Throws CompileError.
 */
export async function compileModule(
  sources: Sources,
  { cache = true }: { readonly cache?: boolean } = {},
): Promise<Compiled> {
  const images = cache ? ImageCache.open() : undefined;
  const known = images?.read<Compiled>(sources);
  if (known !== undefined) return known;
  const compiled = await compileNow(sources);
  images?.write(sources, compiled);
  return compiled;
}

/** Keeps what the kernel took, where that is not what was compiled first. */
export function keepModule(sources: Sources, compiled: Compiled): void {
  ImageCache.open()?.write(sources, compiled);
}

/** What else the sources compile to, for a kernel that refused one: in the order in which it is to be tried. */
export async function* compileOtherwise(sources: Sources, { manner }: Compiled): AsyncGenerator<Compiled> {
  const [{ otherwise, layoutOfType }, { liveTarget }] = await compiler();
  for (const { spec, module, manner: own } of otherwise(sources, liveTarget(), manner))
    if (spec !== undefined) yield { spec, manner: own, prints: printsOf(module, layoutOfType) };
}

async function compileNow(sources: Sources): Promise<Compiled> {
  const [{ compile, layoutOfType }, { liveTarget }] = await compiler();
  const { spec, diagnostics, module, manner, paths } = compile(sources, liveTarget(), { trying: true });
  if (spec !== undefined) return { spec, manner, prints: printsOf(module, layoutOfType) };
  const { render } = await import("../../language/compiler/diagnostics/index.ts");
  const files = paths.map((path) => ({ name: shownPath(path), text: sources.files.get(path) ?? "" }));
  throw new CompileError(render(diagnostics, files).trimEnd(), diagnostics);
}

/** Loaded when it is needed: who loads objects, or finds the image in the cache, pays nothing for it. */
function compiler() {
  return Promise.all([import("../../language/compiler/index.ts"), import("./target.ts")]);
}

function printsOf({ prints }: Module, layoutOfType: typeof LayoutOf): PrintFormat[] {
  return prints.map(({ texts, record }) => ({ texts, record: layoutOfType(record) }));
}
