// The examples run and print what their pages say: those of packets, connections and congestion. Each in a network namespace or
// a cgroup of its own.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { cgroup2, cgroupMount } from "../support/cgroup.ts";
import { run } from "../support/cli.ts";
import { exampleCommand, inOwnNetwork, printed, printedBy } from "../support/example.ts";
import { kernelTest, machine } from "../support/kernel-test.ts";

const network = { command: ["ip", "unshare"] } as const;
const inNetwork = (name: string, ...args: readonly string[]) => inOwnNetwork(exampleCommand(name, ...args));

kernelTest(
  "example xdp: packets for one port are dropped, those for the other pass",
  { ...network, attach: "xdp" },
  async () => {
    assert.equal(await printed(inNetwork("xdp")), "5 packets passed, 5 were dropped, 0 of those arrived\n");
    const { code, stderr } = await run(inNetwork("xdp", "nowhere0"));
    assert.notEqual(code, 0);
    assert.match(stderr, /InterfaceError: .*nowhere0/);
  },
);

kernelTest("example tcx: the bytes of a conversation in both directions", { ...network, attach: "tcx" }, async () => {
  const stdout = await printed(inNetwork("tcx"));
  const [, sent, received] =
    /^100000 bytes read; with headers (\d+) were sent, (\d+) received\n$/.exec(stdout)?.map(Number) ?? [];
  // Each packet has some headers; on loopback what is sent is received, but for a last acknowledgement that may be on its way.
  assert.ok(sent !== undefined && received !== undefined && sent > 100_000 && received > 100_000, stdout);
  assert.ok(Math.abs(sent - received) < 500, stdout);
});

kernelTest("example cgroup-connect: the answer comes from this machine, and the cgroup is gone", cgroup2, async () => {
  const { stdout, pid } = await printedBy(exampleCommand("cgroup-connect"));
  assert.equal(stdout, "hello from this machine\nconnections redirected: 1\n");
  assert.ok(!readdirSync(cgroupMount() as string).includes(`skep-example-${pid}`));
});

kernelTest(
  "example struct-ops: connections of a network namespace ask the table's functions",
  {
    ...network,
    kernel: "5.8",
    unless: machine.virtual ? undefined : "congestion controls are the whole machine's",
  },
  async () => {
    // Behind it, what the namespace has then.
    const after = ["sh", "-c", '"$0" "$@" && cat /proc/sys/net/ipv4/tcp_congestion_control'];
    const stdout = await printed(inOwnNetwork([...after, ...exampleCommand("struct-ops")]));
    const [, before, sockets, asked, then] =
      /^congestion control: skep_steady in place of (\S+)\n(\d+) sockets began with it, and asked at (\d+) acknowledgements\n(\S+)\n$/.exec(
        stdout,
      ) ?? [];
    assert.ok(Number(sockets) >= 1 && Number(asked) >= 1, stdout);
    assert.equal(then, before);
    // Outside of a namespace of its own it would be every connection of the machine.
    const { code, stderr } = await run(exampleCommand("struct-ops"));
    assert.notEqual(code, 0);
    assert.match(stderr, /This is the machine's own network namespace/);
  },
);
