import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Instruction } from "../../../object/asm/index.ts";
import { render, type SourceFile } from "../diagnostics/index.ts";
import { explainRejection } from "./index.ts";
import type { FunctionCode } from "./locate.ts";

const SOURCE: SourceFile = {
  name: "took.bpf.ts",
  text: `import { hash, histogram, ktime, tid, tracepoint, u32, u64 } from "skep/kernel";

const started = hash(u32, u64);
const took = histogram();
export const exit = tracepoint("syscalls:sys_exit_openat", () => {
  const t0 = started.ref(tid());
  if (tid() === 7) return;
  took.record(ktime() - t0.value);
});
`,
};

const span = (words: string) => {
  const start = SOURCE.text.indexOf(words);
  return { file: 0, start, end: start + words.length };
};
const plain = (more: Partial<Instruction> = {}): Instruction => ({
  opcode: 0xb7,
  dst: 0,
  src: 0,
  offset: 0,
  imm: 0,
  ...more,
});

/** A wide load takes two slots: the log counts those. */
const INSTRUCTIONS: readonly Instruction[] = [
  plain({ label: "exit" }),
  plain({ opcode: 0x18, map: "started" }),
  plain({ opcode: 0x85, imm: 1 }),
  plain({ opcode: 0xbf }),
  plain({ opcode: 0x55 }),
  plain({ opcode: 0x79 }),
  plain({ opcode: 0x95 }),
];
const SPANS = [
  span("tid()"),
  span("started.ref(tid())"),
  span("started.ref(tid())"),
  span("started.ref(tid())"),
  span("tid() === 7"),
  span("t0.value"),
  span("return"),
];
const CODE: FunctionCode = {
  spans: SPANS,
  variableIn: (instruction, register) => (instruction >= 4 && register === 6 ? "t0" : undefined),
};

const LOG = `func#0 @0
0: R1=ctx() R10=fp0
0: (b7) r0 = 0                        ; R0_w=0
1: (18) r1 = 0xffff888103d0c000       ; R1_w=map_ptr(map=started,ks=4,vs=8)
3: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1,map=started,ks=4,vs=8)
4: (bf) r6 = r0                       ; R0_w=map_value_or_null(id=1,map=started,ks=4,vs=8) R6_w=map_value_or_null(id=1,map=started,ks=4,vs=8)
5: (55) if r7 != 0x7 goto pc+0        ; R7=7
6: (79) r1 = *(u64 *)(r6 +0)
R6 invalid mem access 'map_value_or_null'
processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`;

describe("what the verifier says", () => {
  it("is told at the place in the source, with the variable, what was known of it, and the way there", () => {
    const diagnostic = explainRejection({
      program: "exit",
      log: LOG,
      instructions: INSTRUCTIONS,
      functions: new Map([["exit", CODE]]),
      sources: [SOURCE],
      release: "6.18.44",
    });
    expect(
      render([diagnostic], [SOURCE]),
    ).toBe(`took.bpf.ts:8:25 - error EB9001: The kernel refused \`exit\`, which the compiler had accepted. \`t0\` (R6) may be NULL here: it is a helper's result that was not tested.

  7 │   if (tid() === 7) return;
    │       ~~~~~~~~~~~ if r7 != 0x7: no
  8 │   took.record(ktime() - t0.value);
    │                         ^^^^^^^^
  why:  The verifier says: R6 invalid mem access 'map_value_or_null'
        \`t0\` (R6): a map's value of 8 bytes, or NULL
  help: This is a bug of the compiler, not of the source: please report it with the source, the
        kernel's release (6.18.44) and the verifier's log.

1 error. (more about it: skep explain EB9001)
`);
  });

  it("is told by the line where the compiler's tables are not at hand", () => {
    const [first, ...rest] = INSTRUCTIONS as [Instruction, ...Instruction[]];
    const source = { file: "took.bpf.ts", line: 8, column: 3, text: "  took.record(ktime() - t0.value);" };
    const { span: where, message } = explainRejection({
      program: "exit",
      log: LOG,
      instructions: [{ ...first, source }, ...rest],
      sources: [SOURCE],
    });
    expect(where).toEqual(span("took.record(ktime() - t0.value);"));
    expect(message).toContain("R6 may be NULL here");
  });

  it("of a program that is too much for it is no fault of the compiler's", () => {
    const { code, message, why } = explainRejection({
      program: "exit",
      log: "BPF program is too large. Processed 1000001 insn\nprocessed 1000001 insns (limit 1000000)",
      instructions: INSTRUCTIONS,
      functions: new Map([["exit", CODE]]),
      sources: [SOURCE],
    });
    expect(code).toBe("EB5001");
    expect(message).toContain("gave up after 1000001 instructions");
    expect(why).toBe("The verifier says: BPF program is too large. Processed 1000001 insn");
  });

  it("is told even where nothing is known", () => {
    const empty = explainRejection({ program: "x", log: "", instructions: [], sources: [] });
    expect(empty).toMatchObject({ code: "EB9001", span: { file: -1 } });
    expect(render([empty], [])).toContain("it left no reason");
  });

  it("never makes it throw, however broken the log is", () => {
    const pieces = [
      ...LOG.split(/(?<=\n)/),
      "from 5 to 6: R6=scalar()\n",
      "R99=?",
      "6: (79)",
      "if r6 == 0x0 goto pc+99999999999\n",
      "`",
      "\0",
    ];
    const log = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 20 }).map((parts) => parts.join("")),
      fc
        .tuple(fc.nat(LOG.length), fc.nat(80), fc.string({ unit: "binary", maxLength: 30 }))
        .map(([at, cut, put]) => LOG.slice(0, at) + put + LOG.slice(at + cut)),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(log, fc.nat(INSTRUCTIONS.length), (text, length) => {
        const diagnostic = explainRejection({
          program: "exit",
          log: text,
          instructions: INSTRUCTIONS.slice(0, length),
          functions: new Map([["exit", CODE]]),
          sources: [SOURCE],
        });
        expect(["EB9001", "EB5001"]).toContain(diagnostic.code);
        expect(render([diagnostic], [SOURCE]).length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});
