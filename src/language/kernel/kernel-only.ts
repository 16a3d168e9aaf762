/** Something of kernel code was called by JavaScript: it means something only where a program runs. */
export class KernelOnlyError extends Error {
  override readonly name = "KernelOnlyError";
  readonly code = "SKEP_KERNEL_ONLY";
}

/** Throws KernelOnlyError; `what` as the source spells it (`comm()`, `map.get()`). */
export function kernelOnly(what: string): never {
  throw new KernelOnlyError(
    `${what} was called by JavaScript, and it means something only in the kernel. Call it inside a function that is given to tracepoint(…), kprobe(…) or another program; load(module) of "skep" compiles that function and loads it, and JavaScript never runs it.`,
  );
}
