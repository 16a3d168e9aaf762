// The kernel side of xdp.ts in a unit test: an eBPF machine in TypeScript runs clang's object on packets made up here. No kernel
// and no root: it runs wherever Node does, and tells what Linux 5.9 and later would do.
//
//   node dist-test/examples/unit-test.js
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openObject, withVariables } from "skep";
import { Machine, MachineFault, packetContext } from "skep/testing";

const object = openObject(fileURLToPath(new URL("xdp.bpf.o", import.meta.url)));
const XDP_DROP = 1;
const XDP_PASS = 2;

/** An Ethernet frame with an IPv4 datagram for a port. */
function udp(port: number): Uint8Array {
  const frame = new Uint8Array(42);
  frame.set([0x08, 0x00, 0x45], 12);
  frame[23] = 17;
  frame.set([port >> 8, port & 255], 36);
  return frame;
}

await test("drops what is for the port, and counts both", () => {
  const machine = new Machine(withVariables(object, { port: 53 }));
  const filter = (packet: Uint8Array) => machine.run("filter", packetContext("xdp", packet)).result;
  assert.equal(filter(udp(53)), XDP_DROP);
  assert.equal(filter(udp(80)), XDP_PASS);
  assert.equal(filter(udp(53).subarray(0, 41)), XDP_PASS);
  assert.deepEqual([machine.variable("passed"), machine.variable("dropped")], [1n, 1n]);
});

await test("a program that forgets where the packet ends is caught", () => {
  const { filter } = object.programs;
  // The comparisons with the end left out: no jump is taken, as if every packet were long enough.
  const careless = filter?.instructions.map((one) => (one.opcode === 0x2d ? { ...one, opcode: 0x05, offset: 0 } : one));
  const machine = new Machine({
    ...object,
    programs: { filter: { ...filter, instructions: careless } },
  } as typeof object);
  assert.throws(
    () => machine.run("filter", packetContext("xdp", udp(53).subarray(0, 20))),
    (error) => error instanceof MachineFault && error.code === "OUT_OF_BOUNDS",
  );
});
