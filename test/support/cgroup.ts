// A cgroup of the test's own, which this process is in for as long as a test runs.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { queryPrograms } from "../../src/sdk/index.ts";

/** Where cgroup2 is mounted. */
export function cgroupMount(): string | undefined {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "latin1"))?.[1];
}

/** The cgroup of this process, and a new one in it that this process is in while `body` runs. */
export async function inOwnCgroup(body: (path: string) => void | Promise<void>): Promise<void> {
  const mount = cgroupMount();
  const place = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "latin1"))?.[1];
  assert.ok(mount !== undefined && place !== undefined, "a cgroup2 mount");
  const parent = `${mount}${place === "/" ? "" : place}`;
  const own = `${parent}/skep-test-${process.pid}`;
  mkdirSync(own);
  try {
    writeFileSync(`${own}/cgroup.procs`, String(process.pid));
    await body(own);
  } finally {
    writeFileSync(`${parent}/cgroup.procs`, String(process.pid));
    rmdirSync(own);
  }
}

/**
 * Whether programs of a cgroup can be placed beside each other (Linux 6.17, and older kernels that were given it, as 6.12.117
 * was): those that can count changes.
 */
export function placesInCgroups(): boolean {
  const mount = cgroupMount();
  if (mount === undefined || process.getuid?.() !== 0) return false;
  return queryPrograms({ cgroup: mount, attachType: "cgroup_inet_sock_create" }).revision !== undefined;
}

/** What a test needs for it. */
export const cgroup2: { readonly unless: string | undefined } = {
  unless: cgroupMount() === undefined ? "no cgroup2 is mounted" : undefined,
};
