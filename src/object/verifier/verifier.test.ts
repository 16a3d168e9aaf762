import { describe, expect, it } from "vitest";
import { brokenRule, parseLog, registerWords } from "./index.ts";

describe("registers in words", () => {
  const cases: readonly [string, string][] = [
    ["scalar()", "a number of which nothing is known"],
    ["scalar(umax=7)", "a number up to 7, from 0"],
    ["scalar(smin=0,smax=umax=4294967295,var_off=(0x0; 0xffffffff))", "a number from 0 to 4294967295"],
    ["inv(id=0,umax_value=255,var_off=(0x0; 0xff))", "a number up to 255, from 0"],
    ["inv7", "inv7"],
    ["0x11", "the number 0x11"],
    ["P0", "the number 0"],
    ["ctx()", "the context"],
    ["ctx(off=8)", "the context, 8 bytes in"],
    ["fp-16", "the stack at -16"],
    ["map_value(off=0,ks=4,vs=8)", "a map's value of 8 bytes"],
    ["map_value_or_null(id=1,off=0,ks=4,vs=8)", "a map's value of 8 bytes, or NULL"],
    ["map_value(map=slots,ks=4,vs=32,smin=0,umax=28)", "a map's value of 32 bytes, up to 28 bytes in"],
    ["pkt(off=14,r=14)", "the packet, 14 bytes in, of which 14 bytes are known to be there"],
    ["pkt_end()", "the packet's end"],
    ["ringbuf_mem_or_null(id=2,ref_obj_id=2,sz=8)", "memory of 8 bytes, or NULL"],
    ["ptr_task_struct()", "a pointer to struct task_struct"],
    ["untrusted_ptr_task_struct(off=32)", "a pointer to struct task_struct, 32 bytes in, which may not be trusted"],
  ];
  for (const [state, words] of cases) it(state, () => expect(registerWords(state)).toBe(words));
});

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

describe("a log", () => {
  it("tells the path to where the verifier stopped, over the branches that it went back to", () => {
    const { path, branches, registers, complaints } = parseLog(LOG);
    expect(path.map(({ slot }) => slot)).toEqual([0, 1, 2, 3, 4, 6]);
    expect(branches).toEqual([
      { slot: 2, condition: "if r0 == 0x0", taken: false },
      { slot: 4, condition: "if r1 > 0x7", taken: true },
    ]);
    expect(registers.get("R1")).toBe("scalar(umin=8,umax=9)");
    expect(complaints).toEqual(["R1 invalid mem access 'scalar'"]);
  });

  it("of Linux 5.10 is read, too", () => {
    const log = `; return *value;
0: R1=ctx(id=0,off=0,imm=0) R10=fp0
0: (85) call bpf_map_lookup_elem#1
1: R0_w=map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0) R10=fp0
1: (79) r0 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`;
    const { registers, path } = parseLog(log);
    expect(path.at(-1)).toEqual({ slot: 1, text: "r0 = *(u64 *)(r0 +0)" });
    expect(registers.get("R0")).toBe("map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0)");
  });

  it("of any text is read without harm", () => {
    for (const text of [
      "",
      "\n\n",
      "from 1 to",
      "0: (",
      "R1=",
      "x".repeat(100_000),
      LOG.repeat(50),
      "0: (15) if r0 goto pc+0",
    ])
      expect(() => parseLog(text)).not.toThrow();
  });
});

describe("rules", () => {
  const cases: readonly [string, RegExp][] = [
    ["R2 invalid mem access 'inv'", /R2 is a plain number/],
    ["invalid access to map value, value_size=8 off=8 size=4", /4 bytes at offset 8 of a map's value/],
    ["R1 unbounded memory access, make sure to bounds check any such access", /How far R1 reaches/],
    ["R2 min value is negative, either use unsigned or 'var &= const'", /R2 may be negative/],
    ["invalid access to packet, off=12 size=2, R1(id=0,off=12,r=0)", /2 bytes at offset 12 of the packet/],
    ["R6 !read_ok", /R6 is read and was never given a value/],
    ["Unreleased reference id=2 alloc_insn=7", /not given back/],
    ["back-edge from insn 12 to 3", /loop from instruction 12 back to 3/],
    ["BPF program is too large. Processed 1000001 insn", /gave up after 1000001/],
    ["cannot call GPL-restricted function from non-GPL compatible program", /licence/],
    ["unknown func bpf_loop#181", /cannot call bpf_loop/],
    ["program of this type cannot use helper bpf_get_stackid#27", /cannot call bpf_get_stackid/],
    ["invalid func unknown#230", /no helper with number 230/],
    ["At program exit the register R0 has value (0x2; 0x0) should have been in (0x0; 0x1)", /allowed are \(0x0; 0x1\)/],
    ["R1 type=scalar expected=map_ptr", /Argument 1 of the call is a scalar, and it must be: map_ptr/],
    ["invalid bpf_context access off=200 size=8", /8 bytes at offset 200 of the context/],
    ["infinite loop detected at insn 5", /does not seem to end/],
    ["R0 pointer arithmetic on map_value_or_null prohibited, null-check it first", /R0 may be NULL here/],
    ["Possibly NULL pointer passed to trusted arg0", /Argument 0 of the call may be NULL/],
    ["invalid access to memory, mem_size=16 off=16 size=8", /8 bytes at offset 16 of a piece of memory/],
    ["same insn cannot be used with different pointers", /different kinds of memory/],
    ["attempt to corrupt spilled pointer on stack", /overwritten/],
    ["corrupted spill memory", /in pieces/],
    ["expected an initialized iter_num as arg #0", /iterator \(num\)/],
    ["missing btf func_info", /does not describe all of its functions/],
    ["access beyond struct task_struct at off 20000 size 8", /behind the end of task_struct/],
    ["only read is supported", /may only read/],
    ["R2 invalid zero-sized read: u64=[0,7]", /size in R2 may be 0/],
    ["the call stack of 9 frames is too deep !", /9 deep/],
    ["R1 leaks addr into map", /into map/],
    ["value 1073741824 makes map_value pointer be out of bounds", /moved by 1073741824/],
    ["last insn is not an exit or jmp", /does not end/],
    ["R1 must be referenced or trusted", /does not vouch/],
    ["R3 must be a known constant", /must be a constant/],
    ["At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]", /allowed are \[0, 1\]/],
  ];
  for (const [line, what] of cases)
    it(line, () => {
      const rule = brokenRule(["0: earlier line", line, "another line"]);
      expect(rule?.what).toMatch(what);
      expect(rule?.what).not.toMatch(/\$\d|undefined/);
      expect(rule?.mend.length).toBeGreaterThan(10);
    });
});
