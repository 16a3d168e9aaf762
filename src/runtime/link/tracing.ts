import { BpfAttr, Fd } from "../sys/index.ts";
import { type Attachable, attachError, createLink, type LinkRequest } from "./create-link.ts";
import { Link } from "./link.ts";

/** What `attachTracing` gives the program. */
export interface TracingOptions {
  /** What `bpf_get_attach_cookie` gives in the program (Linux 6.0). */
  readonly cookie?: bigint;
}

const HINTS: Readonly<Record<number, string>> = {
  16: "Another program that changes the function's result may be attached already (EBUSY).",
  22: "The program was not loaded with a target: give `attachTo` or `attachBtfId` in its spec.",
  524: "This kernel cannot patch the function: it is built without dynamic ftrace for it.",
};

/**
 * Attaches a program whose target was named when it was loaded: tp_btf, fentry, fexit, fmod_ret (program type `tracing`,
 * Linux 5.5), of the kernel or of another program (`loadObject`'s option `targets`); lsm (Linux 5.7). The caller closes the link. Needs CAP_BPF and CAP_PERFMON.
 */
export function attachTracing(program: Attachable, options: TracingOptions = {}): Link {
  const attachType = program.spec?.expectedAttachType ?? "trace_fentry";
  return attachLoadedTarget(
    program,
    { description: "the target it was loaded for", attachType, hints: HINTS },
    options,
  );
}

/** Attaches a program to the target that it was loaded for. */
export function attachLoadedTarget(program: Attachable, request: LinkRequest, { cookie }: TracingOptions): Link {
  if (cookie !== undefined) {
    const link = createLink(program, { ...request, fill: (attr) => void attr.u64(24, cookie) });
    return new Link(request.description, { link });
  }
  const result = new BpfAttr().u64(0, 0).u32(8, program.fd.number).call("BPF_RAW_TRACEPOINT_OPEN");
  if (result < 0) throw attachError(program, request, "bpf(BPF_RAW_TRACEPOINT_OPEN)", -result);
  return new Link(request.description, { link: new Fd(result, `link of program "${program.name}"`) });
}
