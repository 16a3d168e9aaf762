import type { Inst } from "../ssa/ir.ts";
import { isAggregate, sizeOf, U32 } from "../type.ts";
import { Outline } from "./callback.ts";
import { CALLEE } from "./callees.ts";
import type { Ways } from "./counting.ts";
import { fromAddress } from "./into.ts";
import { forgetNumbers, type Of, uses, wayOf } from "./loop-way.ts";
import type { Lowering } from "./lowering.ts";
import { aligned } from "./memory.ts";
import { type Address, readAt, resolve } from "./places.ts";
import { loadScalar } from "./scalar-memory.ts";
import { elementOf } from "./shape.ts";
import { below, callbackTurn, iterated, plainTurns, rangeBody, writtenOutTurns } from "./turning.ts";

export function lowerEach(l: Lowering, stmt: Of<"each">): void {
  const { type } = stmt.of;
  const length = type.kind === "array" ? type.length : sizeOf(type);
  const element = elementOf(type);
  const stride = sizeOf(element);
  const at = resolve(l, stmt.of);
  const known = wayOf(l, stmt, { most: length, exact: true });
  // A callback would have to take the place with it: a plain jump back turns as often.
  const way = known === "callback" ? "plain" : known;
  if (way === undefined) return;
  const turn = (here: Address, ways: Ways) => {
    const storage = l.declare(stmt.local);
    // A struct among the program's own memory is spoken of where it stands.
    if (storage.kind === "value" && isAggregate(element)) {
      const address = here.offset === 0 ? here.base : l.b.offset(here.base, l.b.constant(BigInt(here.offset)));
      l.b.write(storage.variable, address);
    } else if (storage.kind === "value")
      l.b.write(storage.variable, readAt(l, { ...stmt.of, type: element, indices: [], offset: 0 }, here));
    else if (storage.kind === "slot" && isAggregate(element)) {
      fromAddress(l, stmt.local.type, element, here, l.inSlot(storage.slot));
    }
    rangeBody(l, stmt, ways);
  };
  const moved = (index: Inst): Address => {
    const base = l.b.offset(at.base, stride === 1 ? index : l.b.mul(index, l.b.constant(BigInt(stride))));
    if (at.memory === "kernel" && base !== at.base) base.kind = "plain";
    return { ...at, base, align: aligned(at.align, stride) };
  };
  // What the context holds is read at fixed offsets only.
  if (way === "unrolled" || at.memory === "context")
    writtenOutTurns(l, stmt.loop, length, (i, ways) => turn({ ...at, offset: at.offset + i * stride }, ways));
  else if (way === "iterator")
    iterated(l, stmt.loop, l.zero(), l.b.constant(BigInt(length)), (index, ways) => {
      below(l, index, l.b.constant(BigInt(length)), ways.end);
      turn(moved(index), ways);
    });
  else
    plainTurns(l, stmt.loop, l.zero(), l.b.constant(BigInt(length)), length, (index, ways) => turn(moved(index), ways));
}

export function lowerEntries(l: Lowering, stmt: Of<"entries">): void {
  const { b, target } = l;
  if (!target.features.forEachMapElem) {
    l.report("EB4301", stmt.span, `Linux ${target.release} cannot go through a map's elements`, {
      why: "The helper bpf_for_each_map_elem is there since Linux 5.13.",
      help: "Go through the map in user space, or look for keys that you know.",
    });
    return;
  }
  forgetNumbers(l, stmt);
  const outline = new Outline(l, "entries", ["map", "memory", "memory", "stack"], 3, uses(l, stmt));
  const { inner } = outline;
  bindElement(inner, stmt);
  callbackTurn(outline, (ways) => rangeBody(inner, stmt, ways));
  outline.finish();
  b.call(CALLEE.forEachElement, [
    b.map(stmt.map.name),
    b.functionAddress(outline.name),
    outline.shared,
    b.constant(0n),
  ]);
  outline.after();
}

/** The names of an element's key and value, in the callback. */
function bindElement(inner: Lowering, { map, key, value: element }: Of<"entries">): void {
  for (const [local, index, type] of [
    [key, 1, map.key ?? U32],
    [element, 2, map.value],
  ] as const) {
    if (local === undefined || type === undefined) continue;
    const at = inner.b.param(index);
    const variable = inner.newVariable(local.name);
    if (isAggregate(local.type)) inner.place(local, { kind: "address", variable });
    else inner.place(local, { kind: "value", variable });
    const scalar = !isAggregate(local.type) && local.type.kind !== "reference" && local.type.kind !== "cell";
    inner.b.write(variable, scalar ? loadScalar(inner, type, at, 0) : at);
  }
}
