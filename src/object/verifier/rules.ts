/** A rule of the verifier: how its log says that it was broken, what it means, and what to do. */
interface Rule {
  readonly pattern: RegExp;
  /** What is wrong, in a sentence. `$1` … are the pattern's groups. */
  readonly what: string;
  /** The usual mend, in a sentence. */
  readonly mend: string;
}

/** What is known of a rule that was broken. */
export interface BrokenRule {
  readonly what: string;
  readonly mend: string;
  /** The line of the log that says so. */
  readonly line: string;
}

// The verifier's own words come from kernel/bpf/verifier.c and have changed over the years; both older and newer forms are
// here. The first that fits counts.
const RULES: readonly Rule[] = [
  {
    pattern: /R(\d+) pointer arithmetic on (\w+_or_null) prohibited, null-check it first/,
    what: "R$1 may be NULL here and is computed with: it is a helper's result that was not tested.",
    mend: "Test it before anything else: if (!ptr) return 0;",
  },
  {
    pattern: /Possibly NULL pointer passed to (?:trusted |helper )?arg#?(\d+)/,
    what: "Argument $1 of the call may be NULL here.",
    mend: "Test it before the call: if (!ptr) return 0;",
  },
  {
    pattern:
      /R(\d+) invalid mem access '(?:map_value_or_null|mem_or_null|sock_or_null|tcp_sock_or_null|ringbuf_mem_or_null|alloc_mem_or_null|ptr_or_null_\w*|\w+_or_null)'/,
    what: "R$1 may be NULL here: it is a helper's result that was not tested.",
    mend: "Test it before it is used: if (!ptr) return 0;",
  },
  {
    pattern: /R(\d+) invalid mem access '(?:scalar|inv)'/,
    what: "R$1 is a plain number, and memory is read or written through it.",
    mend: "Read kernel memory with bpf_probe_read_kernel() or BPF_CORE_READ(), user memory with bpf_probe_read_user(). A pointer that was added to, stored as a number or passed through a helper is a number to the verifier.",
  },
  {
    pattern: /R(\d+) invalid mem access '(\w+)'/,
    what: "R$1 is a pointer ($2) that cannot be read or written like this.",
    mend: "Use the helper that goes with this kind of pointer.",
  },
  {
    pattern: /invalid access to map value, value_size=(\d+) off=(-?\d+) size=(\d+)/,
    what: "$3 bytes at offset $2 of a map's value are asked for, and the value has $1 bytes.",
    mend: "Compare the index with the size first, with unsigned numbers: if (i >= SIZE) return 0; or mask it: i & (SIZE - 1), where SIZE is a power of two.",
  },
  {
    pattern: /R(\d+) (?:unbounded memory access|max value is outside of the allowed memory range)/,
    what: "How far R$1 reaches is not known: the access may lie outside of the memory.",
    mend: 'Give the index an upper bound right before the access: if (i >= SIZE) return 0; or i &= SIZE - 1. If the compiler moved the test, make the index volatile or use asm volatile("" : "+r"(i)).',
  },
  {
    pattern: /R(\d+) min value is (?:negative|outside of the allowed memory range)/,
    what: "R$1 may be negative: the access may lie before the memory.",
    mend: "Use an unsigned type for the index or length, or test that it is not negative.",
  },
  {
    pattern: /invalid access to packet, off=(-?\d+) size=(\d+)/,
    what: "$2 bytes at offset $1 of the packet are read, and nothing shows that the packet is that long.",
    mend: "Compare with the end first: if (data + sizeof(*header) > data_end) return …; and use the very pointer that was compared.",
  },
  {
    pattern: /invalid (?:indirect )?read from stack (?:R\d+ )?(?:off )?(-?\d+)\+(\d+)/,
    what: "The stack at $1 is read and byte $2 of it was never written.",
    mend: "Initialise the whole variable, its padding included: struct x v = {}; or __builtin_memset(&v, 0, sizeof v).",
  },
  {
    pattern:
      /invalid (?:variable-offset )?(?:indirect )?(?:access|read|write) (?:to|from|through) (?:variable-offset )?stack/,
    what: "A place on the stack is read or written that lies outside of it or cannot be told in advance.",
    mend: "Use a constant index, or keep the data in a map's value.",
  },
  {
    pattern: /R(\d+) (?:!read_ok|is not readable)/,
    what: "R$1 is read and was never given a value on this path.",
    mend: "Give the variable a value on every path. After a call R1 to R5 are gone; a function that returns nothing leaves R0 unset.",
  },
  {
    pattern: /Unreleased reference id=(\d+)/,
    what: "Something that was taken is not given back on this path (a ring buffer's record, a socket, a task).",
    mend: "End every path with the call that gives it back: bpf_ringbuf_submit() or _discard(), bpf_sk_release(), bpf_task_release().",
  },
  {
    pattern: /infinite loop detected at insn (\d+)/,
    what: "The loop around instruction $1 does not seem to end: nothing it depends on changes from one round to the next.",
    mend: "Count the rounds with a variable that has a constant upper bound, or use bpf_loop() (Linux 5.17) or bpf_for() (6.4).",
  },
  {
    pattern: /back-edge from insn (\d+) to (\d+)/,
    what: "There is a loop from instruction $1 back to $2, and this kernel takes none here.",
    mend: "Loops with a bound are taken from Linux 5.3 on; before, unroll them: #pragma unroll.",
  },
  {
    pattern: /BPF program is too large\. Processed (\d+) insn/,
    what: "The verifier gave up after $1 instructions: the program has too many paths.",
    mend: "Split it into global functions (non-static, each verified once) or tail calls, bound loops tighter, or replace them by bpf_loop() (Linux 5.17).",
  },
  {
    pattern: /The sequence of (\d+) jumps is too complex/,
    what: "There are too many branches in a row ($1): their combinations cannot all be looked at.",
    mend: "Split the program into global functions, or replace branches by table look-ups.",
  },
  {
    pattern: /unreachable insn (\d+)/,
    what: "Instruction $1 can never be reached.",
    mend: "Remove it, or the jump around it.",
  },
  {
    pattern:
      /At (?:(?:program|subprogram|async callback) exit|callback return) the register R0 has (?:value|unknown scalar value|smin=\S+ smax=\S+|.*?) should have been in (.+)/,
    what: "The program's result may be a value that its kind does not allow; allowed are $1.",
    mend: "Return one of the allowed values on every path.",
  },
  {
    pattern: /cannot call GPL[- ]restricted function from non-GPL(?: compatible)? program/,
    what: "A helper is called that only programs under a GPL-compatible licence may call.",
    mend: 'Declare it: char LICENSE[] SEC("license") = "Dual MIT/GPL";',
  },
  {
    pattern: /combined stack size of (\d+) calls is (\d+)/,
    what: "The functions that call each other need $2 bytes of stack together; there are 512.",
    mend: "Move large variables into a map's value (a per-CPU array of one entry), or make them smaller.",
  },
  {
    pattern: /(?:Looks like the )?BPF stack limit|stack depth (\d+)|invalid stack type R\d+ off=-(\d+)/,
    what: "The program needs more than the 512 bytes of stack there are.",
    mend: "Move large variables into a map's value (a per-CPU array of one entry).",
  },
  {
    pattern: /dereference of modified (\S+) ptr R(\d+)/,
    what: "R$2 points into a $1 and was added to: only the pointer itself can be read through.",
    mend: 'Read with a constant offset from the unchanged pointer; if the compiler merged accesses, put asm volatile("") between them.',
  },
  {
    pattern: /R(\d+) type=(\S+) expected=(.+)/,
    what: "Argument $1 of the call is a $2, and it must be: $3.",
    mend: "Pass what the helper's manual page says (bpf-helpers(7)); a pointer must not have been changed or stored as a number.",
  },
  {
    pattern: /invalid bpf_context access off=(\d+) size=(\d+)/,
    what: "$2 bytes at offset $1 of the context are read, and programs of this kind have no such field.",
    mend: "Read whole fields of the context's structure only; check that the section's name is of the kind that is meant.",
  },
  {
    pattern:
      /math between (\S+) pointer and register with unbounded min value is not allowed|math between (\S+) pointer/,
    what: "A number without known bounds is added to a pointer.",
    mend: "Bound the number first: if (n > MAX) return 0; with an unsigned n.",
  },
  {
    pattern: /R(\d+) pointer (?:arithmetic|comparison|\S+ pointer)/,
    what: "R$1 is a pointer that must not be computed with like this.",
    mend: "Add to pointers only, by numbers with known bounds; compare packet pointers with the packet's end only.",
  },
  {
    pattern: /misaligned (\S+) access/,
    what: "A $1 access is not aligned to its size.",
    mend: "Read it in pieces, or copy it with __builtin_memcpy().",
  },
  {
    pattern: /write into map forbidden/,
    what: "A map is written that is read-only for programs (.rodata, BPF_F_RDONLY_PROG).",
    mend: "Make the variable no const, or the map without that flag.",
  },
  {
    pattern: /(?:program of this type cannot use helper|unknown func) (bpf_probe_write_user)#36/,
    what: "$1 is not open to this process, or not to programs of this kind.",
    mend: "Programs that trace may call it where the process that loads them has CAP_SYS_ADMIN and the kernel is not locked down (/sys/kernel/security/lockdown).",
  },
  {
    pattern: /program of this type cannot use helper (\S+?)#(\d+)|unknown func (\S+?)#(\d+)/,
    what: "Programs of this kind cannot call $1$3.",
    mend: "Use a helper that this kind of program has (skep doctor --all lists them), or another kind of program.",
  },
  {
    pattern: /invalid func unknown#(\d+)/,
    what: "This kernel has no helper with number $1.",
    mend: "The helper is newer than the kernel: test for it (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_…)) and do without.",
  },
  {
    pattern: /calling kernel function (\S+) is not allowed/,
    what: "Programs of this kind must not call the kernel's function $1.",
    mend: "Kernel functions are open to certain kinds of programs only; see docs.kernel.org/bpf/kfuncs.html.",
  },
  {
    pattern: /tail_calls? (?:is|are) not allowed/i,
    what: "Tail calls cannot be mixed with calls of functions here.",
    mend: "From Linux 5.10 on x86-64 they can; elsewhere inline the functions (static __always_inline).",
  },
  {
    pattern: /jump out of range from insn (\d+) to (\d+)/,
    what: "Instruction $1 jumps to $2, which is outside of its function.",
    mend: "The code was edited or damaged: compile it again.",
  },
  {
    pattern: /unknown opcode ([0-9a-f]+)|BPF_\S+ uses reserved fields/,
    what: "There is an instruction that this kernel does not know.",
    mend: "Compile for an older instruction set: -mcpu=v2 (Linux 4.x), -mcpu=v3 (5.12).",
  },
  {
    pattern: /invalid access to memory, mem_size=(\d+) off=(-?\d+) size=(\d+)/,
    what: "$3 bytes at offset $2 of a piece of memory are asked for, and it has $1 bytes.",
    mend: "Compare the offset with the size first: if (i >= SIZE) return 0;",
  },
  {
    pattern: /invalid access to map key, key_size=(\d+) off=(-?\d+) size=(\d+)/,
    what: "$3 bytes at offset $2 of a map's key are asked for, and the key has $1 bytes.",
    mend: "Read the key's own fields only.",
  },
  {
    pattern: /same insn cannot be used with different pointers/,
    what: "One instruction reads from different kinds of memory, depending on the way that led there.",
    mend: 'Read in each branch, and let the branches give the value; asm volatile("") keeps the compiler from merging them.',
  },
  {
    pattern: /attempt to corrupt spilled pointer on stack/,
    what: "A part of a pointer that was put on the stack is overwritten.",
    mend: "Write whole pointers only.",
  },
  {
    pattern: /(?:corrupted spill memory|invalid size of register (?:spill|fill))/,
    what: "A pointer is put on the stack or read from there in pieces.",
    mend: "Pointers are kept on the stack in 8 bytes at an address that is a multiple of 8.",
  },
  {
    pattern: /R(\d+) (?:must be a known constant|is not a (?:known )?const(?:ant)?)/,
    what: "R$1 must be a constant here, and its value depends on the way that led there.",
    mend: "Pass a number that is known when the program is compiled.",
  },
  {
    pattern: /expected an? (?:un)?initialized iter_(\w+)/,
    what: "An iterator ($1) is used before it was begun, after it ended, or is begun twice.",
    mend: "Begin it, take from it until it gives nothing, and end it, on every path: bpf_for_each() does.",
  },
  {
    pattern:
      /missing btf func_info|func_info.*(?:is|are) (?:missing|invalid)|number of funcs in func_info doesn't match/,
    what: "The object does not describe all of its functions, and functions that are called back must be described.",
    mend: "Compile with -g.",
  },
  {
    pattern: /access beyond (?:struct|the end of member) (\S+)/,
    what: "What is read lies behind the end of $1.",
    mend: "Read a field of the structure as the kernel's own types have it (skep btf find).",
  },
  {
    pattern: /(?:only read is supported|cannot write into|writes? (?:to|into) .* (?:not allowed|disallowed|forbidden))/,
    what: "Memory is written that programs may only read.",
    mend: "Objects of the kernel are changed by helpers and kernel functions only.",
  },
  {
    pattern: /R(\d+) invalid zero-sized read/,
    what: "The size in R$1 may be 0, and the helper reads at least one byte.",
    mend: "Test it first: if (n == 0) return 0;",
  },
  {
    pattern: /the call stack of (\d+) frames is too deep/,
    what: "Functions call each other $1 deep; the kernel allows 8.",
    mend: "Inline some of them (static __always_inline).",
  },
  {
    pattern: /R(\d+) leaks addr (?:into|as) (.+)/,
    what: "R$1 is an address of the kernel and would get into $2, where anybody could read it.",
    mend: "Store a number of your own instead. Programs of processes with CAP_PERFMON may.",
  },
  {
    pattern:
      /(?:value (-?\d+) makes|R\d+ \S+ pointer offset (-?\d+) is) (?:\S+ )?(?:pointer be out of bounds|not allowed)/,
    what: "A pointer is moved by $1$2 bytes, which is farther than anything may be.",
    mend: "Bound the number first: if (n > MAX) return 0; with an unsigned n.",
  },
  {
    pattern: /last insn is not an exit or jmp/,
    what: "A function does not end with a return or a jump.",
    mend: "The code was edited or damaged: compile it again.",
  },
  {
    pattern: /R(\d+) (?:has no valid kptr|must be (?:a )?(?:referenced|rcu|trusted|refcounted).*)/,
    what: "R$1 is a pointer that the kernel does not vouch for: it was reached through another one, or was given back.",
    mend: "Use a pointer that a function gave (bpf_get_current_task_btf, bpf_task_acquire) and that is still held.",
  },
  {
    pattern: /attach_btf_id (\d+) is not a function|func '(\S+)' (?:is not|doesn't|arg\d+)/,
    what: "The program cannot be attached to this function, or reads an argument that it does not have.",
    mend: "Compare the program's arguments with the function's in the kernel's types (skep btf find).",
  },
];

/** The rule that the first of these lines with known words is about; undefined where none is known. */
export function brokenRule(lines: readonly string[]): BrokenRule | undefined {
  for (const line of lines) {
    for (const { pattern, what, mend } of RULES) {
      const found = pattern.exec(line);
      if (found === null) continue;
      const fill = (text: string) => text.replace(/\$(\d)/g, (_, n: string) => found[Number(n)] ?? "");
      return { what: fill(what), mend: fill(mend), line };
    }
  }
  return undefined;
}

const GAVE_UP = /^(?:.*\^-- error: )?(?:BPF program is too large|The sequence of \d+ jumps is too complex)/m;

/** Whether the verifier gave up by its log: the program has more ways through it than it goes, and may be right. */
export function gaveUp(log: string): boolean {
  return GAVE_UP.test(log);
}
