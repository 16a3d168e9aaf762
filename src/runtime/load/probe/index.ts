/** What this kernel can do for this process, asked of the kernel itself and never read off its version. */
export { probeAttachKinds } from "./attach-kinds.ts";
export { probeAttachType } from "./attach-types.ts";
export { probeCode, probeHelper } from "./code-features.ts";
export { type Environment, type Fact, type Mount, probeEnvironment } from "./environment.ts";
export { type HelperResult, probeHelpers } from "./helpers.ts";
export { type KernelConfig, kernelConfig } from "./kernel-config.ts";
export { type NativeAddon, probeNative } from "./native-addon.ts";
export { probeProgramType, probeProgramTypes } from "./program-types.ts";
export { probeVerifier } from "./verifier-features.ts";
