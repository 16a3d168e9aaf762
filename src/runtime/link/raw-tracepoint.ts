import { BpfAttr, Fd, SystemError } from "../sys/index.ts";
import { Link } from "./link.ts";

/** Attaches a raw_tracepoint program (BPF_RAW_TRACEPOINT_OPEN, Linux 4.17). The caller closes the link. */
export function attachRawTracepoint(program: Fd, programName: string, tracepoint: string): Link {
  const result = new BpfAttr().cString(0, tracepoint).u32(8, program.number).call("BPF_RAW_TRACEPOINT_OPEN");
  if (result < 0) {
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_RAW_TRACEPOINT_OPEN)",
      doing: `attach program "${programName}" to raw tracepoint ${tracepoint}`,
      hint:
        result === -2
          ? `This kernel has no tracepoint "${tracepoint}": give the bare name, without its group (sys_enter).`
          : undefined,
      needs: ["CAP_BPF", "CAP_PERFMON"],
    });
  }
  const description = `raw tracepoint ${tracepoint}`;
  return new Link(description, [new Fd(result, `link of program "${programName}" to ${description}`)]);
}
