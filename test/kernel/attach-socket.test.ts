// Programs for sockets: who of a group gets a packet, and what is in a stream.
import assert from "node:assert/strict";
import { Fd } from "../../src/runtime/sys/index.ts";
import {
  Assembler,
  type AttachTypeName,
  attachReuseport,
  attachSockmap,
  loadObject,
  type ObjectSpec,
  r0,
} from "../../src/sdk/index.ts";
import { counting, countingObject, countsMap } from "../support/attach-programs.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { runInNetwork } from "../support/mounts.ts";
import {
  addressOf,
  loopback,
  openSocket,
  portOf,
  SO_REUSEPORT,
  SOL_SOCKET,
  SocketType,
  socketCall,
} from "../support/raw-socket.ts";

const EAGAIN = 11;
const DONT_WAIT = 0x40;

kernelTest("attach: sk_reuseport decides who of a group gets a packet", { program: "sk_reuseport" }, () => {
  const open = (port: number) => {
    const socket = openSocket("inet4");
    socketCall("setsockopt", socket, [SOL_SOCKET, SO_REUSEPORT, Int32Array.of(1), 4]);
    socketCall("bind", socket, [loopback("inet4", port), 16]);
    return socket;
  };
  using one = open(0);
  const address = addressOf(one);
  using two = open(portOf(address));
  using sender = openSocket("inet4");
  /** How many of the two got what was sent. */
  const send = () => {
    socketCall("sendto", sender, [new Uint8Array(1), 1, 0, address, address.length]);
    const got = [one, two].map((socket) =>
      socketCall("recvfrom", socket, [new Uint8Array(1), 1, DONT_WAIT, 0, 0], [EAGAIN]),
    );
    return got.filter((result) => result === 1).length;
  };
  // SK_DROP
  using object = loadObject(countingObject({ type: "sk_reuseport", own: false, result: 0 }));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  assert.equal(send(), 1);
  const link = attachReuseport(object.programs.p, one.number);
  assert.deepEqual([send(), send(), count()], [0, 0, 2]);
  link.close();
  assert.deepEqual([send(), count()], [1, 2]);
  using alone = openSocket("inet4");
  assert.throws(() => attachReuseport(object.programs.p, alone.number), {
    code: "EINVAL",
    message: /set SO_REUSEPORT/,
  });
});

/** Two ends of a connection on loopback; whoever waits for data gives up after 10 seconds. */
function connection(): readonly [Fd, Fd] {
  const SO_RCVTIMEO = 20;
  using listener = openSocket("inet4", SocketType.stream);
  socketCall("bind", listener, [loopback("inet4"), 16]);
  socketCall("listen", listener, [1]);
  const client = openSocket("inet4", SocketType.stream);
  const address = addressOf(listener);
  socketCall("connect", client, [address, address.length]);
  const other = new Fd(socketCall("accept4", listener, [0, 0, 0]), "accepted socket");
  socketCall("setsockopt", other, [SOL_SOCKET, SO_RCVTIMEO, BigInt64Array.of(10n, 0n) as never, 16]);
  return [client, other];
}

const PASS = new Assembler().mov(r0, 1).exit().instructions();
const MESSAGE = new Uint8Array(Buffer.from("skep"));
const words = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);

for (const [attachType, kernel] of [
  ["sk_skb_stream_parser", "4.14"],
  ["sk_skb_stream_verdict", "4.14"],
  ["sk_skb_verdict", "5.13"],
] as const satisfies readonly (readonly [AttachTypeName, string])[]) {
  kernelTest(`attach: ${attachType} sees what the sockets of a map get`, { program: "sk_skb", kernel }, () => {
    // A parser says how long a message is; the others let it pass (SK_PASS).
    const result = attachType === "sk_skb_stream_parser" ? MESSAGE.length : 1;
    const spec = {
      maps: {
        counts: countsMap,
        sockets: { type: "sockmap", keySize: 4, valueSize: 4, maxEntries: 1 },
      },
      programs: {
        p: counting({ type: "sk_skb", expectedAttachType: attachType, own: false, result }),
        judge: { type: "sk_skb", expectedAttachType: "sk_skb_stream_verdict", license: "GPL", instructions: PASS },
      },
    } as const satisfies ObjectSpec;
    using object = loadObject(spec);
    const count = () => Number(object.maps.counts.get(0)?.[0]);
    const [client, other] = connection();
    using _client = client;
    using _other = other;
    const exchange = () => {
      socketCall("sendto", client, [MESSAGE, MESSAGE.length, 0, 0, 0]);
      const got = new Uint8Array(16);
      assert.equal(socketCall("recvfrom", other, [got, got.length, 0, 0, 0]), MESSAGE.length);
      assert.deepEqual(got.subarray(0, MESSAGE.length), MESSAGE);
    };
    exchange();
    assert.equal(count(), 0, "nothing is counted before it is attached");
    using link = attachSockmap(object.programs.p, object.maps.sockets);
    assert.equal(link.fd !== undefined, kernelIsAtLeast("6.10"));
    // Streams are only parsed where somebody judges the messages.
    using _judge =
      attachType === "sk_skb_stream_parser" ? attachSockmap(object.programs.judge, object.maps.sockets) : undefined;
    object.maps.sockets.setRaw(words(0), words(other.number));
    exchange();
    assert.ok(count() > 0, "it is counted while it is attached");
    object.maps.sockets.deleteRaw(words(0));
    link.close();
    const counted = count();
    exchange();
    assert.equal(count(), counted, "nothing is counted after it is closed");
  });
}

kernelTest(
  "attach: flow_dissector takes packets apart for its network namespace",
  { command: ["ip", "unshare"], program: "flow_dissector", kernel: "5.7" },
  async () => {
    assert.deepEqual(JSON.parse(await runInNetwork("flow-dissector")), {
      before: 0,
      during: 3,
      after: 3,
      again: "E2BIG",
    });
  },
);

kernelTest(
  "attach: netkit programs at both ends of a pair drop what leaves there",
  { command: ["ip", "unshare"], attach: "netkit", config: "CONFIG_NETKIT" },
  async () => {
    const ends = { before: 0, during: 2, after: 2 };
    assert.deepEqual(JSON.parse(await runInNetwork("netkit")), { primary: ends, peer: ends });
  },
);
