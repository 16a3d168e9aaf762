// How full the queues of listening sockets are when a connection comes: bcc's tcpsynbl.

import type { sock } from "btf:vmlinux";
import { array, cell, fentry, hash, kprobe, log2, min, struct, u32, u64 } from "skep/kernel";

const SLOTS = 32;
const Hist = struct({ slots: array(u32, SLOTS) });
export const hists = hash(u64, Hist, { max: 65_536 });

function received(sk: sock) {
  const hist = hists.getOrInsert(sk.sk_max_ack_backlog);
  if (!hist) return;
  const slot = min(log2(sk.sk_ack_backlog), SLOTS - 1);
  cell(hist.slots[slot]).add(1);
}

export const v4 = kprobe("tcp_v4_syn_recv_sock", (ctx) => received(ctx.args[0]));
export const v6 = kprobe("tcp_v6_syn_recv_sock", (ctx) => received(ctx.args[0]));
export const v4Entered = fentry("tcp_v4_syn_recv_sock", (sk) => received(sk));
export const v6Entered = fentry("tcp_v6_syn_recv_sock", (sk) => received(sk));
