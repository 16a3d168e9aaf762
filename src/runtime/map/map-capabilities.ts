import type { MapTypeName } from "../../object/spec/index.ts";
import type { CapabilityName } from "../sys/index.ts";

/** Types that belong to networking, for which the kernel wants CAP_NET_ADMIN (kernel/bpf/syscall.c, map_create). */
const NETWORK: ReadonlySet<MapTypeName> = new Set(["devmap", "devmap_hash", "sockmap", "sockhash", "xskmap"]);

/** Which capabilities creating a map of this type asks for. */
export function mapCapabilities(type: MapTypeName): readonly CapabilityName[] {
  return NETWORK.has(type) ? ["CAP_BPF", "CAP_NET_ADMIN"] : ["CAP_BPF"];
}
