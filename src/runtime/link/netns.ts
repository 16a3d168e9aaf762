import { openSync } from "node:fs";
import { Fd } from "../sys/index.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { Link } from "./link.ts";
import { FAMILIES, HOOKS } from "./netfilter-names.ts";

/**
 * Attaches a program of type `sk_lookup` (Linux 5.9) or `flow_dissector` (Linux 5.7) to a network namespace, by its file
 * (`/proc/PID/ns/net`, `/run/netns/NAME`). Needs CAP_BPF and CAP_NET_ADMIN. The caller closes the link.
 */
export function attachNetns(program: Attachable, path = "/proc/self/ns/net"): Link {
  const attachType = program.spec?.expectedAttachType ?? "sk_lookup";
  using namespace = new Fd(openSync(path, "r"), `network namespace ${path}`);
  const description = `${attachType} of network namespace ${path}`;
  const link = createLink(program, {
    description,
    attachType,
    target: namespace.number,
    needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: {
      7: "The namespace has as many programs of this kind as it takes: one flow dissector, 64 for sk_lookup.",
      17: "A flow dissector is attached to the namespace already, without a link, and it takes one.",
      9: "The file is no network namespace.",
    },
  });
  return new Link(description, { link });
}

/** The netfilter hook that `attachNetfilter` attaches to. */
export interface NetfilterOptions {
  readonly family: keyof typeof FAMILIES;
  readonly hook: keyof typeof HOOKS;
  /** Hooks run in the order of their priority; not 0 or the extremes. */
  readonly priority: number;
  /** Puts fragments together first. */
  readonly defragment?: boolean;
}

/** Attaches a program of type `netfilter` to a hook of this network namespace (Linux 6.4). The caller closes the link. */
export function attachNetfilter(program: Attachable, options: NetfilterOptions): Link {
  const { family, hook, priority, defragment = false } = options;
  const description = `netfilter ${family} ${hook}`;
  const link = createLink(program, {
    description,
    attachType: "netfilter",
    fill: (attr) =>
      void attr
        .u32(16, FAMILIES[family])
        .u32(20, HOOKS[hook])
        .u32(24, priority >>> 0)
        .u32(28, defragment ? 1 : 0),
    needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: { 22: "Netfilter programs need Linux 6.4; some priorities are the kernel's own (0 is)." },
  });
  return new Link(description, { link });
}
