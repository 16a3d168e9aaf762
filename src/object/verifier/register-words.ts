/** What the verifier knows of a register, in words: `scalar(umax=7)` → "a number from 0 to 7". */
export function registerWords(state: string): string {
  const [, type = state, inner = ""] = /^([^(]*)(?:\((.*)\))?$/.exec(state.replace(/^P(?=\d|-)/, "")) ?? [];
  const fields = new Map<string, string>();
  for (const part of inner.split(",")) {
    // `smax=umax=7`: one value for several names.
    const names = part.split("=").map((word) => word.trim());
    const value = names.length > 1 ? (names.pop() ?? "") : "";
    for (const name of names) fields.set(name, value);
  }
  if (/^-?(0x[0-9a-f]+|\d+)$/.test(type)) return `the number ${type}`;
  const bare = type.replace(/^(rdonly_|untrusted_|trusted_|rcu_|percpu_|user_)+/, "");
  const trust = type.startsWith("untrusted_")
    ? ", which may not be trusted"
    : type.startsWith("rdonly_")
      ? ", read-only"
      : "";
  const maybe = bare.endsWith("_or_null") ? ", or NULL" : "";
  const kind = bare.replace(/_or_null$/, "");
  switch (kind) {
    case "scalar":
    case "inv":
      return rangeWords(fields);
    case "ctx":
      return `the context${offsetWords(fields)}`;
    case "fp":
      return "the frame pointer";
    case "map_ptr":
      return "a map";
    case "map_value":
      return `a map's value of ${fields.get("vs") ?? "?"} bytes${offsetWords(fields)}${maybe}`;
    case "map_key":
      return `a map's key${offsetWords(fields)}`;
    case "mem":
    case "ringbuf_mem":
    case "alloc_mem":
      return `memory of ${fields.get("sz") ?? fields.get("mem_size") ?? "known"} bytes${offsetWords(fields)}${maybe}${trust}`;
    case "pkt":
      return `the packet${offsetWords(fields)}, of which ${fields.get("r") ?? "0"} bytes are known to be there`;
    case "pkt_end":
      return "the packet's end";
    case "pkt_meta":
      return "the packet's metadata";
    case "sock":
    case "sock_common":
    case "tcp_sock":
    case "xdp_sock":
      return `a socket${maybe}`;
    default: {
      const struct = /^ptr_(\w+)$/.exec(kind);
      if (struct !== null) return `a pointer to struct ${struct[1]}${offsetWords(fields)}${maybe}${trust}`;
      const frame = /^fp(-\d+)$/.exec(kind);
      if (frame !== null) return `the stack at ${frame[1]}`;
      return kind === "" ? "nothing that was written" : `${kind}${maybe}${trust}`;
    }
  }
}

function rangeWords(fields: ReadonlyMap<string, string>): string {
  const number = (...names: readonly string[]) =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined);
  const low = number("umin", "umin_value", "smin", "smin_value");
  const high = number("umax", "umax_value", "smax", "smax_value");
  if (low === undefined && high === undefined) return "a number of which nothing is known";
  if (low === undefined) return `a number up to ${high}${fields.has("smin") ? "" : ", from 0"}`;
  if (high === undefined) return `a number from ${low} on`;
  return low === high ? `the number ${low}` : `a number from ${low} to ${high}`;
}

function offsetWords(fields: ReadonlyMap<string, string>): string {
  const offset = fields.get("off");
  const most = fields.get("umax") ?? fields.get("umax_value");
  if (most !== undefined)
    return `, ${offset === undefined || offset === "0" ? "" : `${offset} + `}up to ${most} bytes in`;
  return offset === undefined || offset === "0" ? "" : `, ${offset} bytes in`;
}
