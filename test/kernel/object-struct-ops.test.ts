// Tables of functions that the kernel calls. They are the whole machine's: only in virtual machines.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { attachStructOps, loadObject, mapDetails, type ObjectSpec, StructOpsMap } from "../../src/sdk/index.ts";
import { kernelTest, machine } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";

const unless = machine.virtual ? undefined : "congestion controls are the whole machine's";
const IPV4 = "/proc/sys/net/ipv4";
const available = () => readFileSync(`${IPV4}/tcp_available_congestion_control`, "latin1").trim().split(" ");

/** The object with only these of its tables, and the programs in them; all programs for none. */
function withTables(...names: string[]): ObjectSpec {
  const spec = fixture("ops.el");
  const maps = Object.entries(spec.maps).filter(([name, { type }]) => type !== "struct_ops" || names.includes(name));
  const used = new Set(maps.flatMap(([, { functions = {} }]) => Object.values(functions)));
  const programs = Object.entries(spec.programs).filter(([name]) => names.length === 0 || used.has(name));
  return { ...spec, maps: Object.fromEntries(maps), programs: Object.fromEntries(programs) };
}

async function connectOnce(): Promise<void> {
  const server = createServer((socket) => socket.end("x"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve, reject) => connect(port, "127.0.0.1").on("close", resolve).on("error", reject).resume());
  await new Promise((resolve) => server.close(resolve));
}

for (const [table, kernel] of [
  ["plain", "5.6"],
  ["linked", "6.4"],
] as const) {
  kernelTest(
    `struct_ops: the kernel calls the functions of a ${table} table until it is closed`,
    { kernel, unless },
    async () => {
      using object = loadObject(withTables(table));
      const map = object.maps[table];
      assert.ok(map instanceof StructOpsMap);
      assert.equal(map.linked, table === "linked");
      const begun = () => object.variables["begun"]?.get();
      const before = readFileSync(`${IPV4}/tcp_congestion_control`, "latin1");
      assert.ok(!available().includes(`skep_${table}`));
      const link = attachStructOps(map);
      try {
        assert.ok(available().includes(`skep_${table}`));
        if (map.linked) {
          const { id: _id, ...details } = link.details();
          assert.deepEqual(details, { type: "struct_ops", programId: 0, mapId: mapDetails(map).id });
        }
        await connectOnce();
        assert.equal(begun(), 0n);
        writeFileSync(`${IPV4}/tcp_congestion_control`, `skep_${table}`);
        await connectOnce();
        assert.ok((begun() as bigint) >= 1n, String(begun()));
        using again = loadObject(withTables(table));
        assert.throws(() => attachStructOps(again.maps[table] as unknown as StructOpsMap), { code: "EEXIST" });
        if (map.linked) {
          // The table is made already: it can take the other's place, but only that one's.
          const other = again.maps[table] as unknown as StructOpsMap;
          assert.throws(() => link.update(other, { old: other }), { code: "EPERM" });
          link.update(other, { old: map });
          assert.ok(available().includes(`skep_${table}`));
          const details = link.details();
          assert.ok(details.type === "struct_ops" && details.mapId === mapDetails(other).id);
        }
      } finally {
        writeFileSync(`${IPV4}/tcp_congestion_control`, before);
        link.close();
      }
      assert.ok(!available().includes(`skep_${table}`));
    },
  );
}

kernelTest(
  "struct_ops: a table with a member that the kernel lacks is refused by its name",
  { kernel: "5.6", unless },
  () => {
    assert.throws(() => loadObject(withTables("newer")), {
      code: "SKEP_OBJECT",
      message: /tcp_congestion_ops of this kernel has no member "not_in_this_kernel", which "newer" sets/,
    });
    // Left at zero it does not matter.
    const spec = withTables("newer");
    const map = spec.maps["newer"];
    const contents = map?.contents?.slice() ?? new Uint8Array(0);
    contents.fill(0, 24, 32);
    const { linked: _, ...plain } = { ...map, contents };
    loadObject({ ...spec, maps: { ...spec.maps, newer: plain as never } }).close();
  },
);

kernelTest("struct_ops: a program of no table is refused before the kernel is asked", { kernel: "5.6", unless }, () => {
  assert.throws(() => loadObject(withTables()), {
    code: "SKEP_OBJECT",
    message: /Program "skep_\w+" is a struct_ops program, and no table of functions of the object has it/,
  });
});
