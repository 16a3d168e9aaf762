/** Attachments: one file per kind. */
export { Link } from "./link.ts";
export { attachRawTracepoint } from "./raw-tracepoint.ts";
export { attachTracepoint, TracepointError, type TracepointScope } from "./tracepoint.ts";
