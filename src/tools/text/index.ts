/** What the tools' views have in common: tables, listings of instructions, JSON. */
export { json } from "./json.ts";
export { listing } from "./listing.ts";
export { table } from "./table.ts";
