import { describe, expect, it } from "vitest";
import { Assembler, r0, r1, r4 } from "../../object/asm/index.ts";
import { VerifierError } from "./index.ts";

const instructions = new Assembler().loadImm64(r1, 7n).mov(r0, r4).exit().instructions();
const LOG = `0: R1=ctx() R10=fp0
0: (18) r1 = 0x7                      ; R1_w=7
2: (bf) r0 = r4
R4 !read_ok
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`;

describe("VerifierError", () => {
  it("shows the reason, the instruction and the end of the log", () => {
    const error = new VerifierError("p", 13, LOG, instructions);
    expect(error).toMatchObject({
      name: "VerifierError",
      code: "EACCES",
      errno: 13,
      program: "p",
      instruction: 2,
      log: LOG,
    });
    expect(error.message).toBe(`The verifier refused program "p" (EACCES): R4 !read_ok
  stopped at 2: r0 = r4
  the end of its log:
    0: R1=ctx() R10=fp0
    0: (18) r1 = 0x7                      ; R1_w=7
    2: (bf) r0 = r4
    R4 !read_ok`);
  });

  it("shows the last lines only of a long log", () => {
    const lines = Array.from({ length: 500 }, (_, i) => `${i}: (b7) r0 = ${i}`);
    const { message } = new VerifierError("p", 22, `${lines.join("\n")}\nbad\n`, instructions);
    expect(message.split("\n").length).toBeLessThan(16);
    expect(message).toContain("499: (b7) r0 = 499\n    bad");
  });

  it("does without what the log does not tell", () => {
    const wordless = new VerifierError("p", 11, "processed 0 insns (limit 1000000)\n", instructions);
    expect(wordless.message).toBe('The verifier refused program "p" (EAGAIN): it left no reason');
    expect(wordless.instruction).toBeUndefined();
    const other = new VerifierError("p", 22, "back-edge from insn 3 to 1\n", instructions);
    expect(other.message).toBe(
      'The verifier refused program "p" (EINVAL): back-edge from insn 3 to 1\n  the end of its log:\n    back-edge from insn 3 to 1',
    );
    const outside = new VerifierError("p", 22, "900: (bf) r0 = r4\nbad\n", instructions);
    expect(outside.message).toContain("stopped at 900: an instruction outside the program");
  });
});
