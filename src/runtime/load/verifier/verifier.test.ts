import { describe, expect, it } from "vitest";
import type { Instruction } from "../../../object/asm/index.ts";
import { explain, explanationText } from "./explain.ts";

const LOG = `0: R1=ctx(off=0,imm=0) R10=fp0
; u64* value = map_lookup(&table, &key);
0: (bf) r2 = r10                      ; R2_w=fp0 R10=fp0
1: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,off=0,ks=4,vs=8)
2: (15) if r0 == 0x0 goto pc+3        ; R0=map_value(off=0,ks=4,vs=8)
3: (79) r1 = *(u64 *)(r0 +0)          ; R0=map_value(off=0,ks=4,vs=8) R1_w=scalar(umax=9)
4: (25) if r1 > 0x7 goto pc+1         ; R1=scalar(umax=7)
5: (95) exit

from 4 to 6: R0=map_value(off=0,ks=4,vs=8) R1=scalar(umin=8,umax=9) R10=fp0
6: (79) r0 = *(u64 *)(r1 +0)
R1 invalid mem access 'scalar'
processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 1
`;

describe("an explanation", () => {
  const source = (line: number, text: string) => ({ file: "dir/a.bpf.c", line, column: 1, text });
  const plain = (more: Partial<Instruction> = {}): Instruction => ({
    opcode: 0xb7,
    dst: 0,
    src: 0,
    offset: 0,
    imm: 0,
    ...more,
  });
  const instructions = [
    plain({ label: "prog", source: source(3, "  value = lookup();") }),
    plain(),
    plain({ source: source(4, "  if (!value) return 0;") }),
    plain({ source: source(5, "  if (*value > 7)") }),
    plain(),
    plain(),
    plain({ source: source(6, "    return *(u64 *)*value;") }),
  ];

  it("names the line, the registers and the way there", () => {
    const explanation = explain(LOG, instructions, undefined);
    expect(explanation).toMatchObject({
      what: "R1 is a plain number, and memory is read or written through it.",
      function: "prog",
      source: { line: 6 },
      registers: [
        { name: "R0", words: "a map's value of 8 bytes" },
        { name: "R1", words: "a number from 8 to 9" },
      ],
    });
    expect(explanationText(explanation)).toContain(`  at:   a.bpf.c:6, in prog
        return *(u64 *)*value;
  R0:   a map's value of 8 bytes
  R1:   a number from 8 to 9
  the way there:
    if r0 == 0x0 — no  a.bpf.c:4: if (!value) return 0;
    if r1 > 0x7 — yes  a.bpf.c:5: if (*value > 7)`);
  });

  it("is empty for what is not known", () => {
    expect(explanationText(explain("something new", [], undefined))).toBe("");
  });
});
