/** The name that a table has for a number of the kernel's; throws for one that is newer than this version of Skep. */
export function uapiName<T extends string>(table: Readonly<Record<T, number>>, number: number, what: string): T {
  const found = Object.entries(table).find(([, value]) => value === number);
  if (found === undefined) throw new Error(`${what} ${number} is newer than this version of Skep.`);
  return found[0] as T;
}
