import { BpfAttr, Fd, SystemError } from "../sys/index.ts";
import type { Attachable } from "./create-link.ts";
import { Link } from "./link.ts";

/** Attaches a raw_tracepoint program (BPF_RAW_TRACEPOINT_OPEN, Linux 4.17). The caller closes the link. */
export function attachRawTracepoint(program: Attachable, tracepoint: string): Link {
  const result = new BpfAttr().cString(0, tracepoint).u32(8, program.fd.number).call("BPF_RAW_TRACEPOINT_OPEN");
  if (result < 0) {
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_RAW_TRACEPOINT_OPEN)",
      doing: `attach program "${program.name}" to raw tracepoint ${tracepoint}`,
      hint:
        result === -2
          ? `This kernel has no tracepoint "${tracepoint}": give the bare name, without its group (sys_enter).`
          : undefined,
      needs: ["CAP_BPF", "CAP_PERFMON"],
    });
  }
  const description = `raw tracepoint ${tracepoint}`;
  return new Link(description, { link: new Fd(result, `link of program "${program.name}" to ${description}`) });
}
