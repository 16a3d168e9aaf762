import { NativeUnavailableError, native, nativePath, packageFile } from "../../sys/index.ts";

/** Whether Skep's native addon loads; without it nothing can be asked of the kernel. */
export interface NativeAddon {
  /** The addon's file; undefined when there is none. */
  readonly path: string | undefined;
  /** Why it does not load, and what to do; undefined when it does. */
  readonly problem: string | undefined;
  /** The script that compiles it with the C compiler; undefined where it is not shipped. */
  readonly buildScript: string | undefined;
}

/** Loads the native addon, or says why it cannot be loaded. Throws nothing. */
export function probeNative(): NativeAddon {
  const at = { path: nativePath(), buildScript: packageFile("native/build.js") };
  try {
    native();
    return { ...at, problem: undefined };
  } catch (error) {
    if (!(error instanceof NativeUnavailableError)) throw error;
    return { ...at, problem: error.message };
  }
}
