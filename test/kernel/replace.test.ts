// Hot update: another object in the place of one that is at work. Each call of a process is numbered; none may be missed, none
// seen by two versions, and what begins and ends is a pair.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type KeyedMap, type LoadedObject, loadObject, type ObjectSpec } from "../../src/sdk/index.ts";
import { cgroup2, inOwnCgroup } from "../support/cgroup.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { BEGIN, connectSpec, END, NumberedCalls, pairSpec, unexpected } from "../support/numbered-calls.ts";
import { pace } from "../support/pace.ts";

const RATE = 100_000;
const COUNT = pace(300_000, 100_000);

/** Replaces an object again and again while the calls are made; how many versions there were. */
async function replaceMeanwhile(
  object: Pick<LoadedObject, "replace">,
  calls: NumberedCalls,
  spec: (version: number) => ObjectSpec,
): Promise<number> {
  let version = 0;
  calls.begin();
  while (!calls.ended) {
    version++;
    const { kept, migrated } = await object.replace(spec(version));
    assert.deepEqual([kept, migrated], [Object.keys(spec(0).maps), []]);
    await sleep(5);
  }
  await calls.end();
  return version;
}

function seenBy(versions: KeyedMap<number, bigint>): readonly bigint[] {
  return [...versions.entries()].map(([, count]) => count).filter((count) => count > 0n);
}

kernelTest("replace: tracepoints miss no call, see none twice, and pairs stay whole", async () => {
  const calls = new NumberedCalls("getpgid", COUNT, RATE);
  const object = loadObject(pairSpec(0), { replaceable: true });
  try {
    object.maps.target.set(0, calls.pid);
    object.attach();
    const version = await replaceMeanwhile(object, calls, pairSpec);
    assert.ok(version > 3, `${version} versions`);
    assert.deepEqual(unexpected(object.maps.seen, COUNT, BEGIN + END), []);
    const counts = seenBy(object.maps.versions);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0n),
      BigInt(2 * COUNT),
    );
    assert.ok(counts.length > 2, `${counts.length} versions saw calls`);
  } finally {
    object.close();
    calls.kill();
  }
});

kernelTest("replace: a cgroup's program misses no call and sees none twice", cgroup2, async () => {
  await inOwnCgroup(async (cgroup) => {
    const calls = new NumberedCalls("connect", COUNT, RATE);
    const object = loadObject(connectSpec(0), { replaceable: true });
    try {
      object.attach({ cgroup });
      const version = await replaceMeanwhile(object, calls, connectSpec);
      assert.ok(version > 3, `${version} versions`);
      assert.deepEqual(unexpected(object.maps.seen, COUNT, BEGIN), []);
      const counts = seenBy(object.maps.versions);
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0n),
        BigInt(COUNT),
      );
      assert.ok(counts.length > 2, `${counts.length} versions saw calls`);
    } finally {
      object.close();
      calls.kill();
      await calls.end();
    }
  });
});
