/** Attachments: one file per kind. */
export { Link } from "./link.ts";
export { attachRawTracepoint } from "./raw-tracepoint.ts";
export { attachTracepoint, TracepointError } from "./tracepoint.ts";
