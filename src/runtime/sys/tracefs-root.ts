import { existsSync } from "node:fs";

/** Where tracefs may be mounted, the usual place first. */
export const TRACEFS_ROOTS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/** Where tracefs is mounted and can be read. */
export function tracefsRoot(): string | undefined {
  return TRACEFS_ROOTS.find((root) => existsSync(`${root}/events/header_page`));
}
