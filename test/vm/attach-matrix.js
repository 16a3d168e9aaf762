// Which kinds of attachment fired on which kernel: for each kind the tests that show it, by their names.

/**
 * Kinds as people name them, and the names of their tests. A kind is shown on a kernel when one of its tests passed there.
 * One with a `*` stands for as many as there are tests, whose names have the kind as their second word.
 * @type {readonly (readonly [kind: string, tests: RegExp])[]}
 */
const KINDS = [
  ["kprobe", /^attach: kprobe$/],
  ["kretprobe", /^attach: kretprobe/],
  ["kprobe, kretprobe by tracefs", /^attach: kprobe and kretprobe through tracefs/],
  ["kprobe with an offset", /^attach: kprobe inside of a function/],
  ["kprobe with a cookie", /^attach: kprobe with a cookie/],
  ["ksyscall, kretsyscall", /^attach: ksyscall/],
  ["kprobe.multi, kretprobe.multi", /^attach: kprobe\.multi/],
  ["kprobe.session", /^attach: kprobe\.session/],
  ["uprobe", /^attach: uprobe sees/],
  ["uretprobe", /^attach: uretprobe/],
  ["uprobe of all processes", /^attach: uprobe for every process/],
  ["uprobe in a library by its bare name", /^a library that a process has loaded is found/],
  ["uprobe in a container", /^a library that only a container sees/],
  ["uprobe.multi, uretprobe.multi", /^attach: uprobe\.multi/],
  ["uprobe.session", /^attach: uprobe\.session/],
  ["USDT", /^USDT: a program gets arguments/],
  ["tracepoint", /^tracepoints by group:name|^attach by section and replace: tracepoint/],
  ["raw_tracepoint", /^a raw tracepoint's program runs/],
  ["raw_tracepoint.w", /^attach: raw_tp\.w/],
  ["tp_btf", /^attach: tp_btf/],
  ["fentry", /^attach: fentry$/],
  ["fexit", /^attach: fexit/],
  ["fmod_ret", /^attach: fmod_ret/],
  ["fsession", /^attach: fsession at/],
  ["fentry.multi, fexit.multi", /^attach: fentry\.multi/],
  ["fsession.multi", /^attach: fsession\.multi/],
  ["fentry, fexit of a program", /^attach: fentry and fexit at functions of another program/],
  ["freplace", /^attach: freplace takes/],
  ["lsm", /^attach: lsm refuses/],
  ["lsm_cgroup", /^attach: lsm_cgroup/],
  ["iter: tasks", /^attach: an iterator over tasks/],
  ["iter: one process", /^attach: an iterator over one process/],
  ["iter: a map's elements", /^attach: an iterator over a map/],
  ["iter: cgroups", /^attach: an iterator over cgroups/],
  ["perf_event: software", /^attach: (perf sampling|page faults)/],
  ["perf_event: breakpoint", /^attach: (a breakpoint|breakpoints)/],
  ["perf_event: hardware, cache", /^attach: perf counters by name/],
  ["cgroup_skb", /^attach: cgroup skb/],
  ["cgroup_*", /^attach: \w+ counts what its cgroup does/],
  ["sock_ops", /^attach: sock_ops/],
  ["cgroup with anchors", /^anchors: programs of a cgroup/],
  ["xdp", /^attach: XDP on veth drops packets \(xdp\)/],
  ["xdp: generic", /^attach: XDP on veth drops packets \(xdp-skb\)/],
  ["xdp by netlink", /^attach: XDP on veth drops packets \(xdp-netlink\)/],
  ["tc (clsact)", /^attach: tc on veth/],
  ["tcx", /^attach: tcx/],
  ["tcx with anchors", /^anchors: tcx/],
  ["netkit", /^attach: netkit/],
  ["netkit with anchors", /^anchors: netkit/],
  ["netfilter", /^attach: netfilter/],
  ["sk_lookup", /^attach: sk_lookup/],
  ["flow_dissector", /^attach: (a )?flow.dissector/],
  ["sk_skb", /^attach: sk_skb on a sockmap/],
  ["sk_skb_*", /^attach: sk_skb\w+ sees/],
  ["sk_msg", /^attach: sk_msg/],
  ["sockmap link", /^link details: a sockmap's link/],
  ["sk_reuseport", /^attach: sk_reuseport/],
  ["socket filter", /^attach: a socket filter/],
  ["lwt_in, lwt_out, lwt_xmit", /^attach: programs at routes/],
  ["struct_ops", /^struct_ops: .* of a plain table/],
  ["struct_ops link", /^struct_ops: .* of a linked table/],
  ["sched_ext", /sched_ext|scheduler/],
];

/** Kinds that no machine of the matrix can show, and why. */
const NOWHERE = {
  lirc_mode2: "needs an infrared receiver, which virtual machines have not",
  "perf_event: hardware, cache (counting)":
    "the machines have no counters of their processor: the error that says so is tested",
};

const SIGNS = { passed: "✔", failed: "✖", skipped: "–" };

/** What a kind's tests came to on one kernel. */
function resultOf(tests, pattern) {
  const own = tests.filter(({ path }) => pattern.test(path.at(-1)));
  for (const result of ["failed", "passed", "skipped"]) {
    const found = own.find((test) => test.result === result);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A kind, or those that it stands for. */
function each([kind, pattern], columns) {
  if (!kind.endsWith("*")) return [[kind, pattern]];
  const names = columns
    .flatMap(({ tests }) => tests.map(({ path }) => path.at(-1)))
    .filter((name) => pattern.test(name));
  return [...new Set(names)].map((name) => [name.split(" ")[1], new RegExp(`^${name}$`)]);
}

/**
 * The lines of the table. Kinds without a test among the results are left out: only some of the tests were run.
 * @param {import("./matrix.js").Column[]} columns
 */
export function attachTable(columns) {
  const rows = KINDS.flatMap((row) => each(row, columns))
    .map(([kind, pattern]) => [kind, columns.map(({ tests }) => resultOf(tests, pattern))])
    .filter(([, cells]) => cells.some((cell) => cell !== undefined));
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([kind]) => kind.length));
  const widths = columns.map(({ name }) => Math.max(name.length, 4));
  const line = (label, cells) =>
    `${label.padEnd(width)}  ${cells.map((cell, i) => cell.padEnd(widths[i])).join("  ")}`.trimEnd();
  const nowhere = rows.filter(([, cells]) => !cells.some((cell) => cell?.result === "passed"));
  return [
    line(
      "kind",
      columns.map(({ name }) => name),
    ),
    ...rows.map(([kind, cells]) =>
      line(
        kind,
        cells.map((cell) => SIGNS[cell?.result] ?? "·"),
      ),
    ),
    "",
    "✔ fired  ✖ failed  – is not there on this kernel",
    ...nowhere.map(
      ([kind, cells]) => `${kind}: ${cells.find((cell) => cell?.why !== undefined)?.why ?? "did not run"}`,
    ),
    ...Object.entries(NOWHERE).map(([kind, why]) => `${kind}: ${why}`),
  ];
}

/** Kinds that no test shows: a test was renamed or is gone. */
export function unshownKinds(columns) {
  return KINDS.filter(([, pattern]) => columns.every(({ tests }) => resultOf(tests, pattern) === undefined)).map(
    ([kind]) => kind,
  );
}
