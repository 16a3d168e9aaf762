/** Hooks of netfilter (linux/netfilter.h, enum nf_inet_hooks). */
export const HOOKS = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
/** Families of protocols (enum nf_inet_protocols). */
export const FAMILIES = { ipv4: 2, ipv6: 10 } as const;
