// Skep's column of the map operations.  node operate.js OPERATION MAP OPERATIONS   (fd 3: the map)
// The best of 20 slices, in ns for one operation (one entry in batches).
import { Fd, KeyedMap, MappedArray, u64, u64n } from "skep";
import { BATCH, KEYS, keyAt, specs, ValueBig } from "./layouts.js";

const SLICES = 20;
const WARM_UP = 5;
/** And until the engine has compiled the loop for good, and the heap is as large as it will be. C and Go have neither to wait for. */
const WARM_UP_OPERATIONS = 200_000;
const [operation, name, countText] = process.argv.slice(2);
const count = Number(countText);
const spec = specs[name];
const big = operation.endsWith("-big");
// Of a mapped array the numbers themselves, as a typed array.
const typed = /-typed(-wide)?$/.test(operation);
const value = typed ? u64 : big ? (spec.value === u64n ? u64 : ValueBig) : spec.value;
const info = {
  type: spec.type,
  name,
  keySize: spec.key.size,
  valueSize: spec.value.size,
  maxEntries: spec.maxEntries,
  flags: spec.flags ?? 0,
};
const map = new KeyedMap(new Fd(3, "the map"), info, spec.key, value);
const memory = operation.includes("memory") ? new MappedArray(map, value) : undefined;
let sum = 0;

const operations = {
  "lookup-int"(n) {
    let total = 0;
    for (let i = 0; i < n; i++) total += map.get(i & (KEYS - 1));
    sum += total;
  },
  "lookup-int-big"(n) {
    let total = 0n;
    for (let i = 0; i < n; i++) total += map.get(i & (KEYS - 1));
    sum += Number(total);
  },
  "update-int"(n) {
    for (let i = 0; i < n; i++) map.set(i & (KEYS - 1), i);
  },
  "lookup-struct"(n) {
    let total = 0;
    for (let i = 0; i < n; i++) {
      const { count, last } = map.get(keyAt(i & (KEYS - 1)));
      total += count + last;
    }
    sum += total;
  },
  "lookup-struct-big"(n) {
    let total = 0;
    for (let i = 0; i < n; i++) {
      const { last } = map.get(keyAt(i & (KEYS - 1)));
      total += last;
    }
    sum += total;
  },
  "update-struct"(n) {
    for (let i = 0; i < n; i++) map.set(keyAt(i & (KEYS - 1)), { count: i, total: 2 * i, last: i, flags: 1 });
  },
  "lookup-percpu"(n) {
    let total = 0;
    for (let i = 0; i < n; i++) for (const one of map.get(i & (KEYS - 1))) total += one;
    sum += total;
  },
  "update-percpu"(n) {
    const all = [...map.get(0)];
    for (let i = 0; i < n; i++) map.set(i & (KEYS - 1), all.fill(i));
  },
  "lookup-batch-int"(n) {
    let total = 0;
    for (let done = 0; done < n; ) {
      map.forEach((one, key) => {
        total ^= one + key;
        done++;
      });
      if (done % BATCH !== 0) throw new Error(`${done} entries came`);
    }
    sum += total;
  },
  "lookup-batch-struct"(n) {
    let total = 0;
    for (let done = 0; done < n; ) {
      map.forEach((one, key) => {
        total ^= one.count + key.pid;
        done++;
      });
      if (done % BATCH !== 0) throw new Error(`${done} entries came`);
    }
    sum += total;
  },
  "entries-int"(n) {
    let total = 0;
    for (let done = 0; done < n; ) {
      for (const [key, one] of map.entries()) {
        total ^= one + key;
        done++;
      }
      if (done % BATCH !== 0) throw new Error(`${done} entries came`);
    }
    sum += total;
  },
  "entries-struct"(n) {
    let total = 0;
    for (let done = 0; done < n; ) {
      for (const [key, one] of map.entries()) {
        total ^= one.count + key.pid;
        done++;
      }
      if (done % BATCH !== 0) throw new Error(`${done} entries came`);
    }
    sum += total;
  },
  "next-key-int"(n) {
    let total = 0;
    for (let done = 0; done < n; ) {
      for (const [key, one] of map.entries({ batch: false })) {
        total ^= one + key;
        done++;
      }
      if (done % BATCH !== 0) throw new Error(`${done} entries came`);
    }
    sum += total;
  },
  "update-batch-int"(n) {
    for (let done = 0; done < n; done += BATCH) {
      const entries = new Array(BATCH);
      for (let i = 0; i < BATCH; i++) entries[i] = [i, i];
      map.setMany(entries);
    }
  },
  "read-memory"(n) {
    const mask = memory.length - 1;
    let total = 0;
    for (let i = 0; i < n; i++) total += memory.get(i & mask);
    sum += total;
  },
  "read-memory-anywhere"(n) {
    const mask = memory.length - 1;
    let total = 0;
    for (let i = 0; i < n; i++) total += memory.get(Math.imul(i, 2654435761) & mask);
    sum += total;
  },
  "write-memory"(n) {
    const mask = memory.length - 1;
    for (let i = 0; i < n; i++) memory.set(i & mask, i);
  },
};

/**
 * The numbers themselves. As constants of the module they are constants to the engine, too: no length and no address is looked
 * up, and no index checked that the mask bounds.
 */
const values = typed ? memory.values : undefined;
const MASK = typed ? values.length - 1 : 0;

/**
 * With asUintN around it a sum of 64-bit numbers is computed in a register, but made a bigint once each turn: sixteen of them a turn
 * cost little more than one.
 */
Object.assign(operations, {
  "read-memory-typed"(n) {
    let total = 0n;
    for (let i = 0; i < n; i++) total = BigInt.asUintN(64, total + values[i & MASK]);
    sum += Number(total);
  },
  "read-memory-anywhere-typed"(n) {
    let total = 0n;
    for (let i = 0; i < n; i++) total = BigInt.asUintN(64, total + values[Math.imul(i, 2654435761) & MASK]);
    sum += Number(total);
  },
  "write-memory-typed"(n) {
    for (let i = 0; i < n; i++) values[i & MASK] = BigInt(i | 0);
  },
  "read-memory-typed-wide"(n) {
    let total = 0n;
    for (let i = 0; i < n; i += 16) {
      total = BigInt.asUintN(64, total + values[i & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 1) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 2) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 3) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 4) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 5) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 6) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 7) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 8) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 9) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 10) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 11) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 12) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 13) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 14) & MASK]);
      total = BigInt.asUintN(64, total + values[(i + 15) & MASK]);
    }
    sum += Number(total);
  },
  "read-memory-anywhere-typed-wide"(n) {
    let total = 0n;
    for (let i = 0; i < n; i += 16) {
      total = BigInt.asUintN(64, total + values[Math.imul(i, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 1, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 2, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 3, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 4, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 5, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 6, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 7, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 8, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 9, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 10, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 11, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 12, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 13, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 14, 2654435761) & MASK]);
      total = BigInt.asUintN(64, total + values[Math.imul(i + 15, 2654435761) & MASK]);
    }
    sum += Number(total);
  },
  "write-memory-typed-wide"(n) {
    for (let i = 0; i < n; i += 16) {
      values[i & MASK] = BigInt(i | 0);
      values[(i + 1) & MASK] = BigInt((i + 1) | 0);
      values[(i + 2) & MASK] = BigInt((i + 2) | 0);
      values[(i + 3) & MASK] = BigInt((i + 3) | 0);
      values[(i + 4) & MASK] = BigInt((i + 4) | 0);
      values[(i + 5) & MASK] = BigInt((i + 5) | 0);
      values[(i + 6) & MASK] = BigInt((i + 6) | 0);
      values[(i + 7) & MASK] = BigInt((i + 7) | 0);
      values[(i + 8) & MASK] = BigInt((i + 8) | 0);
      values[(i + 9) & MASK] = BigInt((i + 9) | 0);
      values[(i + 10) & MASK] = BigInt((i + 10) | 0);
      values[(i + 11) & MASK] = BigInt((i + 11) | 0);
      values[(i + 12) & MASK] = BigInt((i + 12) | 0);
      values[(i + 13) & MASK] = BigInt((i + 13) | 0);
      values[(i + 14) & MASK] = BigInt((i + 14) | 0);
      values[(i + 15) & MASK] = BigInt((i + 15) | 0);
    }
  },
});

const run = operations[operation];
let best = Number.POSITIVE_INFINITY;
for (let slice = -Math.max(WARM_UP, Math.ceil(WARM_UP_OPERATIONS / count)); slice < SLICES; slice++) {
  const start = process.hrtime.bigint();
  run(count);
  const ns = Number(process.hrtime.bigint() - start) / count;
  if (slice >= 0) best = Math.min(best, ns);
}
console.log(JSON.stringify({ ns: best, sum }));
