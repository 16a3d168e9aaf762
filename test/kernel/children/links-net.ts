// Runs in a network namespace of its own (unshare --net): what links of its interfaces and of the namespace itself tell, who
// is attached there, and the order of programs that are placed beside each other. The arguments name the kinds.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { readlinkSync, writeFileSync } from "node:fs";
import {
  type AnchorOptions,
  attachNetfilter,
  attachNetkit,
  attachNetns,
  attachTcx,
  attachXdp,
  Link,
  linkDetails,
  linkIds,
  loadObject,
  openFds,
  openLink,
  type Program,
  programDetails,
  type QueryTarget,
  queryPrograms,
  type TcLinkDetails,
  trackFds,
} from "../../../src/sdk/index.ts";
import { countingObject } from "../../support/attach-programs.ts";
import { errorCode } from "../../support/error-code.ts";
import { makeNetkit } from "../../support/netkit.ts";
import { orderPrograms } from "../../support/order-programs.ts";

trackFds();
execFileSync("ip", ["link", "set", "lo", "up"]);
const LO = 1;
const namespace = Number(/\[(\d+)\]/.exec(readlinkSync("/proc/self/ns/net"))?.[1]);
const idOf = (program: Program) => programDetails(program).id;

/** Looks at a link through the object that made it, by its id, and among all ids. */
function look(link: Link, expected: Record<string, unknown>): void {
  const { id, ...details } = linkDetails(link);
  assert.deepEqual(details, expected);
  assert.ok(id > 0 && [...linkIds()].includes(id));
  using again = openLink(id);
  assert.deepEqual(again.details(), { id, ...expected });
  assert.equal(again.description, `${details.type} link ${id}`);
}

function xdp(): void {
  using object = loadObject(countingObject({ type: "xdp", expectedAttachType: "xdp", own: false, result: 2 }));
  using other = loadObject(countingObject({ type: "xdp", expectedAttachType: "xdp", own: false, result: 2 }));
  const [one, two] = [object.programs.p, other.programs.p];
  const link = attachXdp(one, "lo", { mode: "skb" });
  look(link, { type: "xdp", programId: idOf(one), interfaceIndex: LO });
  // Only when the program that is named is the attached one.
  assert.throws(() => link.update(two, { old: two }), {
    code: "EPERM",
    message: /"p" is not the one that is attached/,
  });
  assert.equal(link.details().programId, idOf(one));
  link.update(two, { old: one });
  assert.equal(link.details().programId, idOf(two));
  // Detached, though somebody else holds it: nothing is attached, and the link is still there to be looked at.
  using held = openLink(link.details().id);
  held.detach();
  look(link, { type: "xdp", programId: idOf(two), interfaceIndex: 0 });
  using _again = attachXdp(one, "lo", { mode: "skb" });
  link.close();
}

function netns(): void {
  const accept = countingObject({ type: "sk_lookup", expectedAttachType: "sk_lookup", own: false, result: 1 });
  using object = loadObject(accept);
  const target = { netns: "/proc/self/ns/net", attachType: "sk_lookup" } as const;
  assert.deepEqual(queryPrograms(target).programs, []);
  const link = attachNetns(object.programs.p);
  const programId = idOf(object.programs.p);
  look(link, { type: "netns", programId, inode: namespace, attachType: "sk_lookup" });
  assert.deepEqual(queryPrograms(target).programs, [{ id: programId, linkId: undefined }]);
  link.close();
  assert.deepEqual(queryPrograms(target), { programs: [], revision: undefined, mode: undefined });
}

function netfilter(): void {
  using object = loadObject(
    countingObject({ type: "netfilter", expectedAttachType: "netfilter", own: false, result: 1 }),
  );
  const programId = idOf(object.programs.p);
  const place = { family: "ipv4", hook: "input", priority: -10 } as const;
  using link = attachNetfilter(object.programs.p, place);
  look(link, { type: "netfilter", programId, ...place, defragment: false });
  using other = attachNetfilter(object.programs.p, { family: "ipv6", hook: "postrouting", priority: 7 });
  look(other, { type: "netfilter", programId, family: "ipv6", hook: "postrouting", priority: 7, defragment: false });
}

/** Places programs beside each other, and looks at the order that the kernel tells and the order in which they run. */
async function anchors(
  target: QueryTarget,
  attach: (program: Program, options?: AnchorOptions) => Link,
  send: () => Promise<void>,
): Promise<void> {
  // −1 hands on: TCX_NEXT, NETKIT_NEXT.
  using programs = orderPrograms(5, { type: "sched_cls", result: -1 });
  const [one, two, three, four, five] = [1, 2, 3, 4, 5].map(programs.program) as [
    Program,
    Program,
    Program,
    Program,
    Program,
  ];
  const digitOf = new Map([one, two, three, four, five].map((program, i) => [programDetails(program).id, `${i + 1}`]));
  const shown = () =>
    queryPrograms(target)
      .programs.map(({ id }) => digitOf.get(id))
      .join("");
  const runs = async (order: string) => {
    assert.equal(shown(), order);
    programs.take();
    await send();
    assert.match(programs.take(), new RegExp(`^(${order})+$`));
  };
  const before = queryPrograms(target);
  assert.deepEqual([before.programs, before.mode], [[], undefined]);
  using first = attach(one);
  await runs("1");
  const revision = queryPrograms(target).revision as bigint;
  assert.ok(revision > (before.revision ?? 0n), `${revision}`);
  using _second = attach(two, { position: "last" });
  await runs("12");
  // By a link, by the id of one, by a program, by the id of one.
  using third = attach(three, { before: first });
  await runs("312");
  using fourth = attach(four, { after: { linkId: first.details().id } });
  await runs("3142");
  fourth.close();
  const fifth = attach(five, { position: "first", expectedRevision: queryPrograms(target).revision as bigint });
  await runs("5312");
  const { programs: attached } = queryPrograms(target);
  assert.deepEqual(attached[1], { id: idOf(three), linkId: third.details().id });
  fifth.close();
  // Somebody was faster, what is beside is not there, or has no link: nothing is attached.
  assert.equal(
    errorCode(() => attach(four, { expectedRevision: revision })),
    "ESTALE",
  );
  assert.throws(() => attach(four, { expectedRevision: revision }), /has changed since that revision/);
  assert.equal(
    errorCode(() => attach(four, { before: fiveLink(five) })),
    "ENOENT",
  );
  assert.throws(() => attach(four, { before: first, position: "last" }), /^TypeError: Give one place/);
  assert.throws(
    () => attach(four, { before: new Link("a filter", {}) }),
    /^TypeError: Nothing can be placed beside a filter/,
  );
  await runs("312");
}

/** A program that is attached nowhere. */
function fiveLink(program: Program) {
  return { programId: idOf(program) };
}

async function tcx(): Promise<void> {
  const target = { interface: "lo", attachType: "tcx_egress" } as const;
  using object = loadObject(countingObject({ type: "sched_cls", own: false, result: -1 }));
  {
    using link = attachTcx(object.programs.p, "lo", "egress");
    look(link, { type: "tcx", programId: idOf(object.programs.p), interfaceIndex: LO, attachType: "tcx_egress" });
  }
  await anchors(
    target,
    (program, options) => attachTcx(program, "lo", "egress", options),
    () => sendTo("127.0.0.1"),
  );
}

async function netkit(): Promise<void> {
  makeNetkit("netkit-own");
  writeFileSync("/proc/sys/net/ipv6/conf/netkit-own/disable_ipv6", "1");
  execFileSync("ip", ["address", "add", "192.0.2.1/24", "dev", "netkit-own"]);
  execFileSync("ip", ["link", "set", "netkit-own", "up"]);
  const [, peer] = /^\d+: (\S+)@netkit-own:/m.exec(execFileSync("ip", ["link"], { encoding: "utf8" })) ?? [];
  if (peer !== undefined) execFileSync("ip", ["link", "set", peer, "up"]);
  const target = { interface: "netkit-own", attachType: "netkit_primary" } as const;
  using object = loadObject(countingObject({ type: "sched_cls", own: false, result: -1 }));
  {
    using link = attachNetkit(object.programs.p, "netkit-own", "primary");
    const { interfaceIndex, ...details } = link.details() as TcLinkDetails;
    assert.ok(interfaceIndex > LO);
    const programId = idOf(object.programs.p);
    assert.deepEqual({ ...details, id: 0 }, { type: "netkit", programId, attachType: "netkit_primary", id: 0 });
  }
  await anchors(
    target,
    (program, options) => attachNetkit(program, "netkit-own", "primary", options),
    () => sendTo("192.0.2.9"),
  );
}

/** Sends one packet. */
async function sendTo(address: string): Promise<void> {
  const sender = createSocket("udp4");
  await new Promise<void>((resolve, reject) =>
    sender.send("skep", 9999, address, (error) => (error === null ? resolve() : reject(error))),
  );
  sender.close();
}

const KINDS: Readonly<Record<string, () => void | Promise<void>>> = { xdp, netns, netfilter, tcx, netkit };
for (const kind of process.argv.slice(2)) await (KINDS[kind] ?? assert.fail(`There is no kind ${kind}.`))();
assert.deepEqual(
  openFds().map(({ stack }) => stack),
  [],
);
console.log("done");
