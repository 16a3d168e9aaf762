import { type Fd, ioctl, PerfIoctl } from "../sys/index.ts";
import { type Attachable, attachError, type LinkRequest, linkFd, tryCreateLink } from "./create-link.ts";
import { Link, type LinkParts } from "./link.ts";

const EEXIST = 17;
const EINVAL = 22;

const HINTS: Readonly<Record<number, string>> = {
  [EEXIST]: "This very program is attached to it already: close that link first, or load the program once more.",
};

/**
 * Runs a program at a perf event: by a BPF link from Linux 5.15 on, with PERF_EVENT_IOC_SET_BPF before. The link owns
 * `event` and closes it, also when this throws. Cookies need the BPF link.
 */
export function attachToPerfEvent(
  program: Attachable,
  event: Fd,
  description: string,
  options: { readonly cookie?: bigint | undefined; readonly undo?: (() => void) | undefined } = {},
): Link {
  const { cookie, undo } = options;
  const request: LinkRequest = {
    description,
    attachType: "perf_event",
    target: event.number,
    hints: HINTS,
    ...(cookie !== undefined && { fill: (attr) => void attr.u64(16, cookie) }),
  };
  const parts = { others: [event], ...(undo !== undefined && { undo }) };
  try {
    const result = tryCreateLink(program, request);
    if (result >= 0)
      return new Link(description, { ...parts, link: linkFd(program, request, result) } satisfies LinkParts);
    if (result !== -EINVAL || cookie !== undefined) {
      const hints = cookie === undefined ? HINTS : { ...HINTS, [EINVAL]: "Cookies of perf events need Linux 5.15." };
      throw attachError(program, { ...request, hints }, "bpf(BPF_LINK_CREATE)", -result);
    }
    const set = ioctl(event, PerfIoctl.set_bpf, program.fd.number);
    if (set < 0) throw attachError(program, request, "ioctl(PERF_EVENT_IOC_SET_BPF)", -set);
    const enable = ioctl(event, PerfIoctl.enable, 0);
    if (enable < 0) throw attachError(program, request, "ioctl(PERF_EVENT_IOC_ENABLE)", -enable);
    return new Link(description, parts);
  } catch (error) {
    event.close();
    undo?.();
    throw error;
  }
}
