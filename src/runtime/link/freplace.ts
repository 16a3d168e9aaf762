import { type Fd, programFunction } from "../sys/index.ts";
import { type Attachable, createLink, type LinkRequest } from "./create-link.ts";
import { Link } from "./link.ts";
import { attachLoadedTarget, type TracingOptions } from "./tracing.ts";

/** A function of a loaded program. */
export interface FreplaceTarget {
  readonly program: { readonly fd: Fd; readonly name: string };
  /** Its name; the program itself when left out. */
  readonly function?: string;
}

/**
 * Puts a program of type `ext` (`SEC("freplace/FUNCTION")`, Linux 5.6) in the place of a function of another program, until the link
 * is closed. It was loaded for a function of one (`loadObject`'s option `targets`); that is replaced when `target` is left out.
 * Another program's function with the same arguments and result can be named instead (Linux 5.10). Throws SystemError,
 * ProgramFunctionError. Needs CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN to load, and CAP_SYS_ADMIN with `target`. The caller closes the link.
 */
export function attachFreplace(program: Attachable, target?: FreplaceTarget, options: TracingOptions = {}): Link {
  const request = {
    description:
      target === undefined
        ? "the function it was loaded for"
        : `${target.function ?? "the program"} of program "${target.program.name}"`,
    attachType: "cgroup_inet_ingress", // 0, which stands for none
    hints: HINTS,
  } as const satisfies LinkRequest;
  if (target === undefined) return attachLoadedTarget(program, request, options);
  const { cookie } = options;
  const id = programFunction(target.program, target.function);
  const link = createLink(program, {
    ...request,
    target: target.program.fd.number,
    fill: (attr) => {
      attr.u32(16, id);
      if (cookie !== undefined) attr.u64(24, cookie);
    },
  });
  return new Link(request.description, { link });
}

const HINTS: Readonly<Record<number, string>> = {
  16: "Another program replaces the function already, or somebody traces it (EBUSY).",
  22: "The function has other arguments or another result than the one it was loaded for, or is static: only global functions can be replaced.",
};
