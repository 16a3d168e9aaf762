import { describe, expect, it } from "vitest";
import { VerifierError } from "../../runtime/load/index.ts";
import { loadOtherwise } from "./load-otherwise.ts";

const form = (name: string) => ({ name, spec: { maps: {}, programs: {} } });
const refused = (log: string, errno = 22) => new VerifierError("p", errno, `${log}\nprocessed 1 insns\n`, []);
const TOO_MUCH = "BPF program is too large. Processed 1000001 insn";

/** Loads forms by their names: an error is thrown. */
function loading(of: Readonly<Record<string, string | Error>>) {
  const tried: string[] = [];
  const load = ({ name }: { readonly name: string }): string => {
    tried.push(name);
    const result = of[name];
    if (typeof result !== "string") throw result;
    return result;
  };
  return { tried, load };
}

describe("loadOtherwise", () => {
  it("asks for other forms only when the verifier refuses one", async () => {
    const { tried, load } = loading({ first: "x" });
    const others = () => expect.fail("others were asked for");
    expect(await loadOtherwise(form("first"), others, load)).toMatchObject({
      loaded: "x",
      compiled: { name: "first" },
    });
    const other = new RangeError("no");
    await expect(loadOtherwise(form("first"), others, loading({ first: other }).load)).rejects.toBe(other);
    expect(tried).toEqual(["first"]);
  });

  it.each([
    TOO_MUCH,
    "The sequence of 8193 jumps is too complex.",
    "8: (05) goto pc-3 ^-- error: BPF program is too large. Processed 1000001 insn",
    "infinite loop detected at insn 12",
    "Unreleased reference id=7 alloc_insn=45",
  ])("tries others in their order until one is taken: %s", async (log) => {
    const { tried, load } = loading({ a: refused(log, 7), b: refused("R1 !read_ok"), c: "c", d: "d" });
    const { loaded, compiled } = await loadOtherwise(form("a"), () => [form("b"), form("c"), form("d")], load);
    expect([loaded, compiled.name]).toEqual(["c", "c"]);
    expect(tried).toEqual(["a", "b", "c"]);
  });

  it("throws the first error when none is taken, and any other one at once", async () => {
    const first = refused(TOO_MUCH, 7);
    const { load } = loading({ a: first, b: refused(TOO_MUCH, 7) });
    await expect(loadOtherwise(form("a"), () => [form("b")], load)).rejects.toBe(first);
    const full = new RangeError("full");
    const failing = loading({ a: first, b: full, c: "c" });
    await expect(loadOtherwise(form("a"), () => [form("b"), form("c")], failing.load)).rejects.toBe(full);
  });
});
