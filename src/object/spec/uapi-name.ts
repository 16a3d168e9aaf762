/** A number of the kernel's interface that this version of Skep has no name for. */
export class NewerKernelError extends Error {
  override readonly name = "NewerKernelError";
  readonly code = "SKEP_NEWER_KERNEL";
}

/** The name that a table has for a number of the kernel's; throws NewerKernelError for one that is newer than this version of Skep. */
export function uapiName<T extends string>(table: Readonly<Record<T, number>>, number: number, what: string): T {
  const found = uapiNameOrNumber(table, number);
  if (typeof found === "number")
    throw new NewerKernelError(
      `${what} ${number} is newer than this version of Skep: it can only be shown by one that knows it.`,
    );
  return found;
}

/** The name that a table has for a number of the kernel's, or the number where it has none. */
export function uapiNameOrNumber<T extends string>(table: Readonly<Record<T, number>>, number: number): T | number {
  return (Object.entries(table).find(([, value]) => value === number)?.[0] as T | undefined) ?? number;
}
