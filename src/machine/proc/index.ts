/** What processes are told by numbers, in words: system calls, errors, signals; and filters over system calls. */
export { ARCHES, type Arch, compatArch } from "./arch.ts";
export { errnoMessage, errnoName } from "./errno.ts";
export { signalName } from "./signal.ts";
export { syscallClasses } from "./syscall-class.ts";
export { parseCompatFilter, parseSyscallFilter, SyscallFilterError } from "./syscall-filter.ts";
export { syscallName, syscallNames, syscallNumber } from "./syscall-table.ts";
