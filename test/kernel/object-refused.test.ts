// Programs that the verifier refuses: the errors say what is wrong, in which line, and what to do.
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadObject, openObject, VerifierError } from "../../src/sdk/index.ts";
import { root } from "../support/cli.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";

const object = (name: string) => openObject(join(root, "test", "fixtures", "objects", `${name}.el.o`));

/** What the verifier says of a program that it must refuse. */
function refusal(file: string, program: string): VerifierError {
  try {
    loadObject(object(file), { programs: [program] }).close();
  } catch (error) {
    assert.ok(error instanceof VerifierError, String(error));
    return error;
  }
  assert.fail(`${program} was loaded`);
}

interface Expected {
  readonly what: RegExp;
  /** The text of the source line it stops at. */
  readonly line: RegExp;
  /** In words, what is known of a register. */
  readonly register?: RegExp;
}

const REFUSED: Readonly<Record<string, Expected>> = {
  not_tested: { what: /may be NULL here/, line: /return \*value;/, register: /a map's value of 8 bytes, or NULL/ },
  out_of_bounds: {
    what: /How far R\d reaches is not known/,
    line: /return slots\[index\];/,
    register: /a map's value of 32 bytes/,
  },
  plain_number: {
    what: /R\d is a plain number/,
    line: /return \*\(int\*\)\(task \+ 8\);/,
    register: /a number of which nothing is known/,
  },
  not_given_back: { what: /is not given back on this path/, line: /\}|return 1;/ },
  beyond_the_packet: { what: /1 bytes at offset 12 of the packet/, line: /return data\[12\];/, register: /the packet/ },
  a_long_way: { what: /may be NULL here/, line: /return \*other;/ },
  wrong_result: { what: /result may be a value that its kind does not allow/, line: /return random32\(\);/ },
};

for (const [program, { what, line, register }] of Object.entries(REFUSED)) {
  kernelTest(`the verifier's refusal is explained: ${program}`, () => {
    const { explanation, message, log } = refusal("refused", program);
    assert.ok(explanation !== undefined);
    assert.match(explanation.what ?? "", what, log);
    assert.match(explanation.source?.text ?? "", line, log);
    assert.equal(explanation.function, program);
    // Older kernels do not write what they know of registers beside each step.
    if (register !== undefined && kernelIsAtLeast("5.18"))
      assert.match(explanation.registers.map(({ words }) => words).join("; "), register, log);
    assert.match(message, /\n {2}what: .*\n {2}mend: .*\n {2}at: {3}refused\.bpf\.c:\d+, in /);
  });
}

kernelTest("the way to a refusal is told, branch by branch, with the lines", () => {
  const { explanation, log } = refusal("refused", "a_long_way");
  const lines = explanation?.path.map(({ source }) => source?.text.trim());
  assert.deepEqual(lines, ["if (!value) return 0;", "if (*value > 7) return 1;", "if (*value < 3) {"], log);
  assert.ok(explanation?.path.every(({ taken }) => !taken));
});

kernelTest("what the kernel lacks and the program reaches is named by type and field", () => {
  const { explanation } = refusal("core", "poisoned");
  assert.equal(
    explanation?.what,
    "This kernel has no struct task_struct.no_such_field, and the program reaches where it is used.",
  );
  assert.match(explanation?.mend ?? "", /bpf_core_field_exists/);
});

kernelTest("a program that reads what it never wrote is refused where the kernel minds", () => {
  // From Linux 6.3 on, and in some older ones that Debian mends, programs with CAP_PERFMON may.
  try {
    loadObject(object("refused"), { programs: ["never_written"] }).close();
  } catch (error) {
    assert.ok(error instanceof VerifierError, String(error));
    assert.ok(!kernelIsAtLeast("6.3"));
    assert.match(error.explanation?.what ?? "", /was never written/, error.log);
  }
});
