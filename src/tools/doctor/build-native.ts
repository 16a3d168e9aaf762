import { spawnSync } from "node:child_process";
import { probeNative } from "../../sdk/index.ts";

/** The native addon could not be built; the message says why and what to do. */
export class BuildNativeError extends Error {
  override readonly name = "BuildNativeError";
  readonly code = "SKEP_BUILD_NATIVE";
}

/**
 * Compiles the native addon anew from the C file that Skep ships, with the C compiler ($CC, cc, gcc or clang), into
 * Skep's own folder. Returns its path. Throws BuildNativeError.
 */
export function buildNativeAddon(): string {
  const { buildScript } = probeNative();
  if (buildScript === undefined) {
    throw new BuildNativeError("This copy of Skep has no native/build.js: install Skep again.");
  }
  const { status, stderr, error } = spawnSync(process.execPath, [buildScript, "--force"], { encoding: "utf8" });
  if (status !== 0) throw new BuildNativeError(stderr?.trim() || `${buildScript} failed: ${error?.message ?? status}`);
  const { path, problem } = probeNative();
  if (path === undefined || problem !== undefined) {
    throw new BuildNativeError(`It was built, but: ${problem ?? "the file is not where it is looked for."}`);
  }
  return path;
}
