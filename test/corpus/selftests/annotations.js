// What the selftests' programs say of themselves, in tags on their functions (progs/bpf_misc.h, test_loader.c).
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bpf, compiled } from "./source.js";

/** Flags of BPF_PROG_LOAD by name (linux/bpf.h). */
const FLAGS = {
  BPF_F_STRICT_ALIGNMENT: 1 << 0,
  BPF_F_ANY_ALIGNMENT: 1 << 1,
  BPF_F_TEST_RND_HI32: 1 << 2,
  BPF_F_TEST_STATE_FREQ: 1 << 3,
  BPF_F_SLEEPABLE: 1 << 4,
  BPF_F_XDP_HAS_FRAGS: 1 << 5,
  BPF_F_TEST_REG_INVARIANTS: 1 << 7,
};
/** What every test has on a kernel that knows them (testing_helpers.c). */
const TESTING = FLAGS.BPF_F_TEST_RND_HI32 | FLAGS.BPF_F_TEST_REG_INVARIANTS;

const ANY = Symbol("POINTER_VALUE");
const NAMED = { INT_MIN: -(2 ** 31), TEST_DATA_LEN: 64, POINTER_VALUE: ANY };

/** Maps that prog_tests/verifier.c fills before it runs programs. */
const FILLED = { verifier_array_access: "map_array_ro", verifier_value_ptr_arith: "map_array_48b" };

/**
 * Which objects test_loader runs, by the capabilities it gives up before (as setpriv names them): prog_tests says so.
 * @returns {Map<string, string[]>} capabilities, or "" for none, to names of objects
 */
export function testedObjects() {
  const folder = join(bpf, "prog_tests");
  const groups = new Map();
  const add = (capabilities, name) => groups.set(capabilities, [...(groups.get(capabilities) ?? []), name]);
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".c"))) {
    const text = readFileSync(join(folder, file), "utf8");
    if (file !== "verifier.c") {
      for (const [, name] of text.matchAll(/\bRUN_TESTS\((\w+)\)/g)) add("", name);
      continue;
    }
    for (const [, name] of text.matchAll(/(?:\bRUN\(|run_tests_aux\(")(\w+)/g))
      if (name !== "skel") add(name === "verifier_mtu" ? "sys_admin,perfmon" : "sys_admin", name);
  }
  return groups;
}

function number(text) {
  if (Object.hasOwn(NAMED, text)) return NAMED[text];
  return Number(BigInt.asIntN(32, text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text)));
}

/** A pattern of `__msg`: plain text, with regular expressions between `{{` and `}}`. */
function pattern(text) {
  const parts = text.split(/\{\{(.*?)\}\}/s);
  const source = parts.map((part, i) => (i % 2 === 1 ? part : part.replace(/[.[\]\\()*+?{}|^$]/g, "\\$&"))).join("");
  return { text, regex: new RegExp(source, "m") };
}

/** What one program's tags ask for. */
function readTags(tags) {
  const test = { failure: false, messages: [], level: 0, flags: TESTING, elsewhere: false, auxiliary: false, more: 0 };
  let privileged = false;
  let unprivileged = false;
  const architectures = [];
  for (const tag of tags) {
    const [, key, value = ""] = /^comment:test_(\w+)(?:=(.*))?$/s.exec(tag) ?? [];
    if (key === undefined) continue;
    const unpriv = key.endsWith("_unpriv");
    const name = unpriv ? key.slice(0, -"_unpriv".length) : key;
    // Numbered, as the compiler keeps one of two tags that are the same.
    const text = value.slice(value.indexOf("=") + 1);
    if (/^(expect_|jited|retval|auxiliary)/.test(name)) {
      if (unpriv) unprivileged = true;
      else if (name !== "jited" || architectures.includes("X86_64")) privileged = true;
    }
    if (name === "arch") architectures.push(value);
    else if (name === "log_level") test.level = Number(value);
    else if (name === "btf_path") test.btf = value;
    else if (name === "prog_flags") {
      const flag = value.replace(/^!/, "");
      const bits = FLAGS[flag] ?? Number(flag);
      test.flags = value.startsWith("!") ? test.flags & ~bits : test.flags | bits;
    } else if (name === "auxiliary") test.auxiliary = true;
    else if (unpriv) continue;
    else if (name === "expect_failure") test.failure = true;
    else if (name === "expect_success") test.failure = false;
    else if (name === "expect_msg") test.messages.push(pattern(text));
    else if (name === "expect_xlated" || name === "jited") test.more++;
    else if (name === "retval") test.retval = number(value);
  }
  test.elsewhere = architectures.length > 0 && !architectures.includes("X86_64");
  return { ...test, privileged: privileged || !unprivileged, unprivileged };
}

/** The tests of an object: what `ourTest` and `theirTests` take, and what must come of it. */
export function testsOf(object, spec) {
  const read = Object.entries(spec.programs).map(([name, { tags = [] }]) => ({ name, ...readTags(tags) }));
  const auxiliary = read.filter((one) => one.auxiliary && one.privileged).map(({ name }) => name);
  return read
    .filter((one) => !one.auxiliary)
    .map((one) => ({
      ...one,
      run: one.retval !== undefined && !one.failure,
      auxiliary,
      fill: FILLED[object],
      ...(one.btf !== undefined && { btf: join(compiled, one.btf) }),
    }));
}

/** What of a test does not hold; undefined when all does. `answer`: refused (why, or undefined), log, retval, runError. */
export function deviation(test, { refused, log, retval, runError }) {
  if (test.failure && refused === undefined) return "is loaded, and is expected to be refused";
  if (!test.failure && refused !== undefined) return `is refused, and is expected to be loaded: ${refused}`;
  let rest = log;
  for (const { text, regex } of test.messages) {
    const found = regex.exec(rest);
    if (found === null) return `the log lacks "${text}"${refused === undefined ? "" : ` (${refused})`}`;
    rest = rest.slice(found.index + found[0].length);
  }
  if (!test.run) return undefined;
  if (runError !== undefined) return `cannot be run: ${runError}`;
  return test.retval === ANY || test.retval === retval ? undefined : `returned ${retval} instead of ${test.retval}`;
}
