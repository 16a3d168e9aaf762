import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";

/** For tests that need a file system of cgroups of version 2. */
export const cgroup2 = {
  unless: /^\S+ \S+ cgroup2 /m.test(readFileSync("/proc/self/mounts", "latin1")) ? undefined : "no cgroup2 is mounted",
};

/** Makes a new cgroup in this process's, which this process is in while `body` runs. */
export async function inOwnCgroup(body: (path: string) => void | Promise<void>): Promise<void> {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "latin1"))?.[1];
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
