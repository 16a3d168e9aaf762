import { ERRNO_TABLE } from "./errno-table.ts";

interface Errno {
  readonly name: string;
  readonly message: string;
}

let table: Map<number, Errno> | undefined;

/**
 * The name of an error number: `ENOENT` for 2. Knows the kernel's own (`ERESTARTSYS` for 512) too; a number no one has
 * named gives `errno 4000`. Aliases share a number: 11 is EAGAIN, 35 EDEADLK, 95 EOPNOTSUPP (errno(3)).
 */
export function errnoName(n: number): string {
  return lookup(n)?.name ?? `errno ${n}`;
}

/** What an error number means, in glibc's words: "No such file or directory" for 2 (strerror(3)). */
export function errnoMessage(n: number): string {
  return lookup(n)?.message ?? `Unknown error ${n}`;
}

function lookup(n: number): Errno | undefined {
  if (table === undefined) {
    table = new Map();
    for (const line of ERRNO_TABLE.trim().split("\n")) {
      const [number, name] = line.split(" ", 2) as [string, string];
      table.set(Number(number), { name, message: line.slice(number.length + name.length + 2) });
    }
  }
  return table.get(n);
}
