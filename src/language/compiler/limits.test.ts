import { expect, it } from "vitest";
import { INPUT, LIMITS } from "../../../test/support/limits.ts";
import { withWords } from "../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../test/support/recorded-target.ts";
import { struct, u64 } from "../../object/codec/index.ts";
import { layoutContext, Machine } from "../interp/index.ts";
import { compile } from "./compile.ts";
import { render } from "./diagnostics/index.ts";

const compiled = (source: string, features = {}) => {
  const text = withWords(source);
  const result = compile({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", text]]) }, recordedTarget(features));
  return { ...result, text };
};

it.each(LIMITS.map((one) => [one.name, one] as const))(
  "%s",
  (_, { source, features, out, error, given }) => {
    const { spec, diagnostics } = compiled(source, features);
    const said = diagnostics.map(
      ({ code, message, related = [] }) => `${code}: ${message} [${related.map((one) => one.message).join(", ")}`,
    );
    if (error !== undefined) {
      expect(said[0]).toMatch(error);
      expect(spec).toBeUndefined();
      return;
    }
    expect(said).toEqual([]);
    if (spec === undefined) throw new Error("nothing was compiled");
    const machine = new Machine(spec, { maxInstructions: 50_000_000 }) as unknown as Machine;
    if (given !== undefined) machine.map("given").set(0, { path: given, other: "", n: 0n });
    expect(machine.run("p", layoutContext(struct({ a: u64, b: u64 }), INPUT)).result).toBe(0);
    if (out !== undefined) expect(machine.variable("out")).toBe(out);
  },
  60_000,
);

it("of 1,000 errors 50 are shown, and that there are more is said", () => {
  const source = LIMITS.find(({ name }) => name === "1,000 errors")?.source ?? "";
  const { diagnostics, text } = compiled(source);
  expect(diagnostics.length).toBe(1000);
  const shown = render(diagnostics, [{ name: "a.bpf.ts", text }]);
  expect(shown.match(/error TS2304/g)?.length).toBe(50);
  expect(shown).toContain("1000 errors; 950 of them are not shown.");
});
