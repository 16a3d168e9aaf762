// Attachments to packets, sockets and cgroups: what arrives without the attachment does not with it, and does again after.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import {
  type AttachTypeName,
  attachCgroup,
  attachLwt,
  attachSocketFilter,
  attachSockmap,
  loadObject,
  type ObjectSpec,
} from "../../src/sdk/index.ts";
import { counting, countingObject, countsMap } from "../support/attach-programs.ts";
import { cgroup2, inOwnCgroup } from "../support/cgroup.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { runInNetwork } from "../support/mounts.ts";

const onVeth = async (kind: string) => JSON.parse(await runInNetwork("veth", kind)) as Record<string, unknown>;
/** All packets arrive without it, none while it is there, all again after. */
const DROPPED = { before: 3, countedBefore: 0, during: 0, counted: 4, after: 5, countedAfter: 4 };
const veth = { command: ["ip", "unshare"] } as const;

for (const kind of ["xdp", "xdp-skb", "xdp-netlink"]) {
  kernelTest(`attach: XDP on veth drops packets (${kind})`, { ...veth, attach: "xdp" }, async () => {
    assert.deepEqual(await onVeth(kind), { [kind]: DROPPED });
  });
}

for (const kind of ["tc", "tc-egress"]) {
  kernelTest(`attach: tc on veth drops packets (${kind})`, veth, async () => {
    assert.deepEqual(await onVeth(kind), { [kind]: DROPPED });
  });
}

kernelTest("attach: tcx on veth drops packets", { ...veth, attach: "tcx" }, async () => {
  assert.deepEqual(await onVeth("tcx"), { tcx: DROPPED });
});

kernelTest(
  "attach: programs at routes refuse what leaves and what comes in (lwt_out, lwt_xmit, lwt_in)",
  { ...veth, program: ["lwt_in", "lwt_out", "lwt_xmit"], config: "CONFIG_LWTUNNEL_BPF" },
  async () => {
    const counted = { before: 0, counted: 2, again: "EEXIST", after: 0 };
    // Who sends hears of a refusal on the way out; of one on the way in nobody does.
    assert.deepEqual(JSON.parse(await runInNetwork("lwt")), {
      lwt_out: { ...counted, during: ["EPERM", "EPERM"] },
      lwt_xmit: { ...counted, during: ["EPERM", "EPERM"] },
      lwt_in: { ...counted, during: [null, null] },
    });
  },
);

kernelTest("a route for a program has a destination, a network and a type that there is", () => {
  const program = { fd: undefined as never, name: "p", spec: { type: "lwt_out" } } as const;
  const attach = (destination: string, more: object = {}) =>
    attachLwt({ ...program, ...more }, { destination, interface: 1 });
  for (const wrong of ["", "10.0.0", "10.0.0.0.0/8", "fe80::1%lo", "::1::", "x"])
    assert.throws(() => attach(wrong), RangeError);
  for (const wrong of [
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/-1",
    "10.0.0.0/x",
    "0.0.0.0/",
    "::/",
    "10.0.0.0/8/5",
    "::/0x8",
  ])
    assert.throws(() => attach(wrong), { name: "RangeError", message: /is no network/ });
  assert.throws(() => attach("10.0.0.0/8", { spec: { type: "xdp" } }), {
    name: "TypeError",
    message: /is of type xdp; routes take/,
  });
});

async function listening(): Promise<[Server, number]> {
  const server = createServer((socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return [server, (server.address() as { port: number }).port];
}

/** The errno's name of a connection that fails; undefined when it succeeds. */
async function tryConnect(port: number): Promise<string | undefined> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}

kernelTest("attach: cgroup connect4 refuses connections", cgroup2, async () => {
  const [server, port] = await listening();
  try {
    await inOwnCgroup(async (path) => {
      const kind = "cgroup_inet4_connect";
      using object = loadObject(
        countingObject({ type: "cgroup_sock_addr", expectedAttachType: kind, own: false, result: 0, otherwise: 1 }),
      );
      assert.equal(await tryConnect(port), undefined);
      const link = attachCgroup(object.programs.p, path);
      assert.equal(await tryConnect(port), "EPERM");
      link.close();
      assert.equal(await tryConnect(port), undefined);
      assert.equal(object.maps.counts.get(0)?.[0], 1n);
    });
  } finally {
    server.close();
  }
});

/** A program of a cgroup counts what its sockets do while it is attached, and neither before nor after. */
async function countsInCgroup(type: "cgroup_skb" | "sock_ops", expectedAttachType: AttachTypeName): Promise<void> {
  const [server, port] = await listening();
  try {
    await inOwnCgroup(async (path) => {
      using object = loadObject(countingObject({ type, expectedAttachType, own: false, result: 1 }));
      const count = () => Number(object.maps.counts.get(0)?.[0]);
      await tryConnect(port);
      assert.equal(count(), 0);
      const link = attachCgroup(object.programs.p, path);
      await tryConnect(port);
      link.close();
      const counted = count();
      assert.ok(counted > 0);
      await tryConnect(port);
      assert.equal(count(), counted);
    });
  } finally {
    server.close();
  }
}

kernelTest("attach: cgroup skb ingress and egress count packets", cgroup2, async () => {
  for (const kind of ["cgroup_inet_ingress", "cgroup_inet_egress"] as const) await countsInCgroup("cgroup_skb", kind);
});

kernelTest("attach: cgroup sock_create refuses sockets", cgroup2, async () => {
  const [server, port] = await listening();
  try {
    await inOwnCgroup(async (path) => {
      const kind = "cgroup_inet_sock_create";
      using object = loadObject(
        countingObject({ type: "cgroup_sock", expectedAttachType: kind, own: false, result: 0 }),
      );
      assert.equal(await tryConnect(port), undefined);
      const link = attachCgroup(object.programs.p, path);
      assert.equal(await tryConnect(port), "EPERM");
      link.close();
      assert.equal(await tryConnect(port), undefined);
    });
  } finally {
    server.close();
  }
});

kernelTest("attach: sock_ops counts what its cgroup's sockets do", cgroup2, () =>
  countsInCgroup("sock_ops", "cgroup_sock_ops"),
);

kernelTest(
  "a cgroup link takes another program with no gap, and a folder that is no cgroup is refused",
  { ...cgroup2, kernel: "5.7" },
  async () => {
    const [server, port] = await listening();
    try {
      await inOwnCgroup(async (path) => {
        const kind = "cgroup_inet4_connect";
        const program = (result: number) =>
          countingObject({ type: "cgroup_sock_addr", expectedAttachType: kind, own: false, result });
        using deny = loadObject(program(0));
        using allow = loadObject(program(1));
        using link = attachCgroup(deny.programs.p, path);
        assert.equal(await tryConnect(port), "EPERM");
        link.update(allow.programs.p);
        assert.equal(await tryConnect(port), undefined);
        link.update(deny.programs.p);
        assert.equal(await tryConnect(port), "EPERM");
        assert.throws(() => attachCgroup(deny.programs.p, "/proc"), {
          code: "EBADF",
          message: /no cgroup of version 2/,
        });
      });
    } finally {
      server.close();
    }
  },
);

/** The descriptor of a socket of Node's. */
const fdOf = (socket: unknown) => (socket as { _handle: { fd: number } })._handle.fd;

/** Two ends of a connection on loopback. */
async function connection(): Promise<[Socket, Socket]> {
  const [server, port] = await listening();
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const one = connect(port, "127.0.0.1");
  await once(one, "connect");
  const [other] = await accepted;
  server.close();
  return [one, other];
}

kernelTest("attach: sk_skb on a sockmap judges what its sockets get", async () => {
  const [one, other] = await connection();
  const spec = {
    maps: { counts: countsMap, sockets: { type: "sockmap", keySize: 4, valueSize: 4, maxEntries: 2 } },
    programs: {
      p: counting({ type: "sk_skb", expectedAttachType: "sk_skb_stream_verdict", own: false, result: 1 }),
    },
  } as const satisfies ObjectSpec;
  using object = loadObject(spec);
  try {
    const count = () => Number(object.maps.counts.get(0)?.[0]);
    const send = async (text: string) => {
      const heard = once(other, "data") as Promise<[Buffer]>;
      one.write(text);
      assert.equal((await heard)[0].toString(), text);
    };
    await send("without");
    assert.equal(count(), 0);
    const link = attachSockmap(object.programs.p, object.maps.sockets);
    const words = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
    object.maps.sockets.setRaw(words(0), words(fdOf(other)));
    await send("with");
    assert.ok(count() > 0, "the program saw the data");
    object.maps.sockets.deleteRaw(words(0));
    link.close();
    const counted = count();
    await send("after");
    assert.equal(count(), counted);
  } finally {
    one.destroy();
    other.destroy();
  }
});

kernelTest("attach: sk_msg on a sockmap refuses what its sockets send", async () => {
  const [one, other] = await connection();
  const spec = {
    maps: { counts: countsMap, sockets: { type: "sockmap", keySize: 4, valueSize: 4, maxEntries: 2 } },
    programs: { p: counting({ type: "sk_msg", expectedAttachType: "sk_msg_verdict", own: false, result: 0 }) },
  } as const satisfies ObjectSpec;
  using object = loadObject(spec);
  try {
    const count = () => Number(object.maps.counts.get(0)?.[0]);
    const heard = once(other, "data") as Promise<[Buffer]>;
    one.write("without");
    assert.equal((await heard)[0].toString(), "without");
    assert.equal(count(), 0);
    using link = attachSockmap(object.programs.p, object.maps.sockets);
    const words = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
    object.maps.sockets.setRaw(words(0), words(fdOf(one)));
    const failed = once(one, "error") as Promise<[NodeJS.ErrnoException]>;
    one.write("with");
    assert.equal((await failed)[0].code, "EACCES");
    assert.ok(count() > 0, "the program saw the data");
    void link;
  } finally {
    one.destroy();
    other.destroy();
  }
});

kernelTest("attach: a socket filter decides what its socket gets", async () => {
  const { createSocket } = await import("node:dgram");
  const receiver = createSocket("udp4");
  receiver.bind(0, "127.0.0.1");
  await once(receiver, "listening");
  const sender = createSocket("udp4");
  using object = loadObject(countingObject({ type: "socket_filter", own: false, result: 0 }));
  try {
    const { port } = receiver.address();
    const send = async (text: string) => await new Promise((resolve) => sender.send(text, port, "127.0.0.1", resolve));
    const next = async () => (await (once(receiver, "message") as Promise<[Buffer]>))[0].toString();
    await send("without");
    assert.equal(await next(), "without");
    assert.equal(object.maps.counts.get(0)?.[0], 0n);
    const link = attachSocketFilter(object.programs.p, fdOf(receiver));
    await send("with");
    link.close();
    await send("after");
    assert.equal(await next(), "after");
    assert.equal(object.maps.counts.get(0)?.[0], 1n);
  } finally {
    receiver.close();
    sender.close();
  }
});

kernelTest(
  "attach: sk_lookup sends connections of a namespace elsewhere",
  { attach: "sk_lookup", command: "unshare" },
  async () => {
    assert.deepEqual(JSON.parse(await runInNetwork("sk-lookup")), {
      before: "ECONNREFUSED",
      counted: 0,
      during: "connected",
      after: "ECONNREFUSED",
    });
  },
);

kernelTest("attach: netfilter drops packets", { ...veth, attach: "netfilter" }, async () => {
  const { netfilter } = (await onVeth("netfilter")) as { netfilter: Record<string, number> };
  const { before, countedBefore, during, counted = 0, after, countedAfter } = netfilter;
  assert.deepEqual([before, countedBefore, during, after, countedAfter], [3, 0, 0, 5, counted]);
  assert.ok(counted >= 4);
});
