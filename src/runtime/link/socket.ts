import { AttachType, type AttachTypeName } from "../../object/spec/index.ts";
import type { BpfMap } from "../map/index.ts";
import { BpfAttr, type Fd, SystemError, setSocketOption } from "../sys/index.ts";
import { type Attachable, attachError, type LinkRequest, linkFd, tryCreateLink } from "./create-link.ts";
import { Link } from "./link.ts";

const EINVAL = 22;

/**
 * Attaches a program of type `sk_skb` or `sk_msg` to a sockmap or sockhash: it decides about data of the sockets in it.
 * By a BPF link from Linux 6.10 on; before, the attachment lasts as long as the map. Attach before sockets are put into
 * the map. Needs CAP_BPF and CAP_NET_ADMIN. The caller closes the link.
 */
export function attachSockmap(program: Attachable, map: BpfMap, attachType?: AttachTypeName): Link {
  const kind = attachType ?? program.spec?.expectedAttachType ?? "sk_skb_stream_verdict";
  const request: LinkRequest = {
    description: `${kind} of map "${map.name}"`,
    attachType: kind,
    target: map.fd.number,
    needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: { 95: "The map is no sockmap or sockhash, or has a program that excludes this one." },
  };
  const created = tryCreateLink(program, request);
  if (created >= 0) return new Link(request.description, { link: linkFd(program, request, created) });
  if (created !== -EINVAL) throw attachError(program, request, "bpf(BPF_LINK_CREATE)", -created);
  const command = (name: "BPF_PROG_ATTACH" | "BPF_PROG_DETACH", fd: Fd, target: Fd) =>
    new BpfAttr().u32(0, target.number).u32(4, fd.number).u32(8, AttachType[kind]).call(name);
  const result = command("BPF_PROG_ATTACH", program.fd, map.fd);
  if (result < 0) throw attachError(program, request, "bpf(BPF_PROG_ATTACH)", -result);
  const [keptProgram, keptMap] = [program.fd.duplicate(), map.fd.duplicate()];
  const undo = () => {
    command("BPF_PROG_DETACH", keptProgram, keptMap);
    keptProgram.close();
    keptMap.close();
  };
  return new Link(request.description, { undo });
}

/**
 * Attaches a program of type `socket_filter` to a socket, by its descriptor: it says how many bytes of each packet the
 * socket gets, 0 for none. Lasts until it is closed or the socket is. Throws SystemError.
 */
export function attachSocketFilter(program: Attachable, socket: number): Link {
  const description = `filter of socket ${socket}`;
  const result = setSocketOption(socket, "attach_bpf", program.fd.number);
  if (result < 0) {
    const doing = `attach program "${program.name}" to ${description}`;
    throw new SystemError({ errno: -result, syscall: "setsockopt(SO_ATTACH_BPF)", doing });
  }
  return new Link(description, { undo: () => void setSocketOption(socket, "detach_filter", 0) });
}

/**
 * Attaches a program of type `sk_reuseport` to the group of sockets that share `socket`'s port (SO_REUSEPORT): it chooses
 * the one that gets a connection. Throws SystemError.
 */
export function attachReuseport(program: Attachable, socket: number): Link {
  const description = `reuseport group of socket ${socket}`;
  const result = setSocketOption(socket, "attach_reuseport_ebpf", program.fd.number);
  if (result < 0) {
    const doing = `attach program "${program.name}" to ${description}`;
    const hint =
      result === -EINVAL ? "The socket shares its port with none: set SO_REUSEPORT before it is bound." : undefined;
    throw new SystemError({ errno: -result, syscall: "setsockopt(SO_ATTACH_REUSEPORT_EBPF)", doing, hint });
  }
  return new Link(description, { undo: () => void setSocketOption(socket, "detach_reuseport", 0) });
}
