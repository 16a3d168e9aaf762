import { expect, it } from "vitest";
import { heldAtEnds } from "./held.ts";
import { parse } from "./parse.ts";

const held = (text: string): number[] => {
  const func = parse(text);
  const counts = heldAtEnds(func);
  return func.blocks.map(({ id }) => counts[id] as number);
};

it("counts what was taken and not given back, and not what was not there", () => {
  const text = `program p(context)
b0:
  v0 = map events : map
  v1 = const 8
  v2 = const 0
  v3 = call helper bpf_ringbuf_reserve#131(v0, v1, v2) takes : memory?
  branch eq v3, v2 ? b1 : b2
b1: <- b0
  jump b4
b2: <- b0
  store8 v3, v2
  branch ult v1, v2 ? b3 : b5
b3: <- b2
  v4 = call helper bpf_ringbuf_submit#132(v3, v2) nothing gives back
  jump b4
b4: <- b1, b3
  return v2
b5: <- b2
  v5 = call helper bpf_ringbuf_discard#133(v3, v2) nothing gives back
  return v2`;
  expect(held(text)).toEqual([1, 0, 1, 0, 0, 0]);
});

it("holds through loops, and takes what is taken in each turn for many", () => {
  const loop = (body: string): string => `program p(context)
b0:
  v0 = slot s0 : stack
  v1 = const 0
  v2 = const 9
  v3 = call kfunc bpf_iter_num_new(v0, v1, v2) takes
  jump b1
b1: <- b0, b2
  v4 = call kfunc bpf_iter_num_next(v0) : memory?
  branch eq v4, v1 ? b3 : b2
b2: <- b1
  ${body}
  jump b1
b3: <- b1
  v6 = call kfunc bpf_iter_num_destroy(v0) nothing gives back
  return v1`;
  const slot = (text: string) => text.replace("program p(context)", "program p(context)\n  slot s0 8 align 8 iterator");
  expect(held(slot(loop("v5 = add v1, v2")))).toEqual([1, 1, 1, 0]);
  const [, head = 0, , end = 0] = held(slot(loop("v5 = call kfunc bpf_iter_num_new(v0, v1, v2) takes")));
  expect(head).toBeGreaterThan(1);
  expect(end).toBeGreaterThan(0);
});
