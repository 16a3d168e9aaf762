import { array, arrayMap, be16, be32, bytes, hash, struct, u8, u64, XDP, xdp } from "skep/kernel";

const Eth = struct({ dst: bytes(6), src: bytes(6), proto: be16 });
const Ipv4 = struct({
  vihl: u8,
  tos: u8,
  len: be16,
  id: be16,
  frag: be16,
  ttl: u8,
  proto: u8,
  csum: be16,
  src: be32,
  dst: be32,
});
const Stat = struct({ packets: u64, bytes: u64 });

export const byProto = arrayMap(Stat, 256, { perCpu: true });
export const blocked = hash(be32, u64, { max: 65_536 });

export const filter = xdp((pkt) => {
  const eth = pkt.at(0, Eth);
  if (!eth || eth.proto !== 0x0800) return XDP.PASS;
  const ip = pkt.at(14, Ipv4);
  if (!ip) return XDP.PASS;
  const s = byProto.ref(ip.proto); // u8 index into 256 entries: in range by type, no check needed
  s.packets += 1;
  s.bytes += pkt.length;
  const hit = blocked.ref(ip.src);
  if (!hit) return XDP.PASS;
  hit.add(1);
  return XDP.DROP;
});
