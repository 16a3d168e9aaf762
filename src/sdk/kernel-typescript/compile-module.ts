import type { Sources } from "../../language/compiler/index.ts";
import { CompileError } from "./compile-error.ts";
import type { Compiled } from "./compiled.ts";
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

async function compileNow(sources: Sources): Promise<Compiled> {
  // Loaded when it is needed: who loads objects, or finds the image in the cache, pays nothing for it.
  const [{ compile, layoutOfType }, { liveTarget }] = await Promise.all([
    import("../../language/compiler/index.ts"),
    import("./target.ts"),
  ]);
  const { spec, diagnostics, module, paths } = compile(sources, liveTarget());
  if (spec !== undefined)
    return { spec, prints: module.prints.map(({ texts, record }) => ({ texts, record: layoutOfType(record) })) };
  const { render } = await import("../../language/compiler/diagnostics/index.ts");
  const files = paths.map((path) => ({ name: shownPath(path), text: sources.files.get(path) ?? "" }));
  throw new CompileError(render(diagnostics, files).trimEnd(), diagnostics);
}
