import { AttachType, type AttachTypeName, type ProgramTypeName } from "../../object/spec/index.ts";
import { BpfAttr, type CapabilityName, Fd, SystemError } from "../sys/index.ts";

/** The program that is attached. */
export interface Attachable {
  readonly fd: Fd;
  readonly name: string;
  readonly spec?:
    | { readonly type?: ProgramTypeName; readonly expectedAttachType?: AttachTypeName | undefined }
    | undefined;
}

export interface LinkRequest {
  /** What it is attached to, for people. */
  readonly description: string;
  readonly attachType: AttachTypeName;
  /** A descriptor (cgroup, namespace, map, perf event) or the index of an interface; 0 where the kind has none. */
  readonly target?: number;
  readonly flags?: number;
  /** Fields from offset 16 of `union bpf_attr`.link_create on. */
  readonly fill?: (attr: BpfAttr) => void;
  readonly needs?: readonly CapabilityName[];
  /** Sentences by errno (positive). */
  readonly hints?: Readonly<Record<number, string>>;
}

/** Asks for a BPF link (BPF_LINK_CREATE); the descriptor's number, or −errno. */
export function tryCreateLink(program: Attachable, request: LinkRequest): number {
  const attr = new BpfAttr()
    .u32(0, program.fd.number)
    .u32(4, request.target ?? 0)
    .u32(8, AttachType[request.attachType])
    .u32(12, request.flags ?? 0);
  request.fill?.(attr);
  return attr.call("BPF_LINK_CREATE");
}

/** A BPF link's descriptor. Throws SystemError. */
export function createLink(program: Attachable, request: LinkRequest): Fd {
  const result = tryCreateLink(program, request);
  if (result < 0) throw attachError(program, request, "bpf(BPF_LINK_CREATE)", -result);
  return linkFd(program, request, result);
}

export function linkFd(program: Attachable, { description }: LinkRequest, number: number): Fd {
  return new Fd(number, `link of program "${program.name}" to ${description}`);
}

export function attachError(program: Attachable, request: LinkRequest, syscall: string, errno: number): SystemError {
  return new SystemError({
    errno,
    syscall,
    doing: `attach program "${program.name}" to ${request.description}`,
    hint: request.hints?.[errno],
    needs: request.needs ?? ["CAP_BPF", "CAP_PERFMON"],
  });
}
