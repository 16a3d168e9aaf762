#!/usr/bin/env node
// Records what tests compile for without a kernel: the types and tracepoints below, taken from the running kernel, into
// test/data/targets/. Needs root (tracefs). Usage: node scripts/record-target.js [FOLDER OF events], after a build.
import { readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { fileURLToPath } from "node:url";
import { Btf, BtfBuilder } from "../dist/object/btf/index.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Structs with the members that are kept; others are known by name alone. */
const STRUCTS = {
  task_struct:
    "pid tgid comm real_parent parent group_leader flags exit_code start_time mm cred nsproxy files prio utime __state policy",
  cred: "uid gid euid suid",
  kuid_t: "val",
  kgid_t: "val",
  mm_struct: "arg_start arg_end total_vm owner exe_file",
  file: "f_path f_inode f_flags f_mode f_pos",
  path: "mnt dentry",
  dentry: "d_name d_parent d_inode d_flags",
  qstr: "name len hash",
  inode: "i_ino i_mode i_size i_sb i_uid i_nlink",
  super_block: "s_dev s_id s_magic s_type",
  file_system_type: "name",
  nsproxy: "pid_ns_for_children net_ns mnt_ns",
  sock: "__sk_common sk_protocol sk_type sk_family sk_userlocks sk_rcvbuf",
  sock_common: "skc_family skc_state skc_dport skc_num skc_daddr skc_rcv_saddr",
  linux_binprm: "filename file argc",
  pt_regs: "di si dx ax ip sp regs",
  bpf_iter__task: "meta task",
  bpf_iter_meta: "session_id seq_num seq",
  seq_file: "size count",
};
const FUNCTIONS = [
  "vfs_read",
  "vfs_write",
  "do_unlinkat",
  "tcp_connect",
  "bpf_lsm_file_open",
  "bpf_lsm_bprm_check_security",
  "bpf_lsm_task_kill",
];
const RAW = [
  "sys_enter",
  "sys_exit",
  "sched_switch",
  "sched_process_exec",
  "sched_process_fork",
  "sched_process_exit",
  "sched_wakeup",
];
const TRACEPOINTS = process.argv[2] ?? "/sys/kernel/tracing/events";
const EVENTS = [
  "syscalls/sys_enter_openat",
  "syscalls/sys_exit_openat",
  "syscalls/sys_enter_getpgid",
  "syscalls/sys_enter_connect",
  "syscalls/sys_enter_write",
  "syscalls/sys_exit_read",
  "syscalls/sys_enter_execve",
  "block/block_rq_issue",
  "block/block_rq_complete",
  "raw_syscalls/sys_enter",
  "raw_syscalls/sys_exit",
  "sched/sched_switch",
  "sched/sched_process_exec",
  "sched/sched_process_fork",
  "sched/sched_process_exit",
  "signal/signal_generate",
  "sock/inet_sock_set_state",
];

const kernel = Btf.parse(readFileSync("/sys/kernel/btf/vmlinux"));
const builder = new BtfBuilder();
const copied = new Map();

/** The id, in the record, of a type of the kernel's. */
function copy(id) {
  if (id === 0) return 0;
  const known = copied.get(id);
  if (known !== undefined) return known;
  const type = kernel.type(id);
  if ((type.kind === "struct" || type.kind === "union") && type.name !== "" && STRUCTS[type.name] === undefined) {
    const made = builder.add({ kind: "struct", name: type.name, size: type.size, members: [] });
    copied.set(id, made);
    return made;
  }
  const at = builder.reserve();
  copied.set(id, at);
  builder.set(at, part(type));
  return at;
}

function part(type) {
  switch (type.kind) {
    case "struct":
    case "union": {
      const kept = type.name === "" ? undefined : STRUCTS[type.name]?.split(" ");
      const members = type.members.filter(({ name }) => name === "" || kept === undefined || kept.includes(name));
      // Flexible and nameless parts that hold nothing that is kept would drag in the whole kernel.
      return {
        ...type,
        members: members
          .filter(({ name, type: id }) => name !== "" || holds(id, kept))
          .map((m) => ({ ...m, type: copy(m.type) })),
      };
    }
    case "array":
      return { ...type, element: copy(type.element), index: copy(type.index) };
    case "prototype":
      return {
        ...type,
        result: copy(type.result),
        parameters: type.parameters.map((p) => ({ ...p, type: copy(p.type) })),
      };
    default:
      return "type" in type ? { ...type, type: copy(type.type) } : type;
  }
}

function holds(id, kept) {
  const type = kernel.type(kernel.resolve(id));
  if (type.kind !== "struct" && type.kind !== "union") return false;
  return (
    kept === undefined ||
    type.members.some(({ name, type: inner }) => kept.includes(name) || (name === "" && holds(inner, kept)))
  );
}

for (const name of Object.keys(STRUCTS)) {
  const id = kernel.find(name, "struct") ?? kernel.find(name, "typedef");
  if (id !== undefined) copy(id);
}
for (const name of FUNCTIONS) copy(kernel.find(name, "function"));
for (const name of RAW) {
  const id = kernel.find(`btf_trace_${name}`, "typedef");
  if (id !== undefined) copy(id);
}
for (const name of ["umode_t", "dev_t", "sector_t", "pid_t", "size_t"]) copy(kernel.find(name, "typedef"));
const formats = {};
for (const event of EVENTS)
  formats[event] = readFileSync(`${TRACEPOINTS}/${event}/format`, "utf8")
    .replace(/^\tfield:.*common_.*\n/gm, "")
    .replace(/^print fmt:.*\n/gm, "");
const bytes = builder.build();
const version = release().split(".").slice(0, 2).join(".");
const record = { release: release(), arch: "x64", formats, btf: Buffer.from(bytes).toString("base64") };
writeFileSync(`test/data/targets/${version}.json`, `${JSON.stringify(record, null, 1)}\n`);
console.log(
  `test/data/targets/${version}.json: ${builder.nextId - 1} types, ${bytes.length} bytes, ${EVENTS.length} tracepoints`,
);
