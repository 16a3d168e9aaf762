/** What packed-plans.ts gives for each architecture, as base64: put in by the build. */
declare const SKEP_PLANS: Readonly<Record<string, string>>;

/** Stands for packed-plans.ts in the command's bundle, so that it starts sooner. */
export function packedPlans(arch: string): Uint8Array {
  return Buffer.from(SKEP_PLANS[arch] ?? "", "base64");
}
