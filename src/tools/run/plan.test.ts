import { expect, it } from "vitest";
import { compileSource } from "../../../test/support/compile-source.ts";
import { recordedTarget } from "../../../test/support/recorded-target.ts";
import { planOf } from "./plan.ts";
import { jsonView, textView } from "./view/run-view.ts";

const SOURCE = `
  const Small = struct({ kind: u8 });
  export const records = ringbuf({ bytes: 4096 });
  export const events = ringbuf(Small);
  export const p = rawTracepoint("sys_enter", () => {
    records.emit(Small, { kind: 1 });
    events.emit({ kind: 2 });`;

it("a ring of several types is not the one that print writes to", () => {
  const plain = compileSource(`${SOURCE} });`, recordedTarget());
  const without = planOf(plain, plain.spec, []);
  expect(without.print).toBeUndefined();
  expect(without.rings.map(({ name, event }) => [name, event?.kind])).toEqual([
    ["records", undefined],
    ["events", "struct"],
  ]);
  const printing = compileSource(`${SOURCE} print("x"); });`, recordedTarget());
  const plan = planOf(printing, printing.spec, []);
  expect(plan.print?.ring).toBe("print");
  expect(plan.rings.map(({ name }) => name)).toEqual(["records", "events"]);
});

it("programs that others go on in are not attached", () => {
  const steps =
    'export const steps = progArray(["second"]); export const second = rawTracepoint("sys_enter", () => {});';
  const compiled = compileSource(`${steps}${SOURCE} steps.tailCall("second"); });`, recordedTarget());
  expect(planOf(compiled, compiled.spec, []).continued).toEqual(["second"]);
});

it("records of several types are shown as bytes", () => {
  const compiled = compileSource(`${SOURCE} });`, recordedTarget());
  const plan = planOf(compiled, compiled.spec, []);
  const event = { record: Uint8Array.of(1, 255) };
  expect(textView(plan, 10).event("records", event)).toBe("records  record\nrecords  01ff\n");
  expect(jsonView().event("records", event)).toBe('{"ring":"records","event":{"record":"01ff"}}\n');
});
