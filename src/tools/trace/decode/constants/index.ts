/** The names of the bits and values that system calls take, by set. */
export * from "./file.ts";
export * from "./kernel.ts";
export * from "./memory.ts";
export * from "./network.ts";
export * from "./process.ts";
