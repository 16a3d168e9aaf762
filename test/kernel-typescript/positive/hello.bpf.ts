import { comm, counter, str, tracepoint } from "skep/kernel";

export const opens = counter(str(16));

export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  opens.inc(comm());
});
