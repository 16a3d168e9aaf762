import type { Expr } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { sizeOf } from "../type.ts";
import type { Lowering } from "./lowering.ts";
import { nameOf } from "./places.ts";
import { contentOf } from "./shape.ts";
import { value } from "./value.ts";

/** struct xdp_md: words that the kernel turns into addresses where they are read (include/uapi/linux/bpf.h). */
const DATA = 0;
const DATA_END = 4;
/** The kernel follows offsets up to 0xffff, and wants what is added to them below that. */
const MOST_OFFSET = 0x7fff;

function bounds(l: Lowering): { data: Inst; end: Inst } {
  const { b } = l;
  const context = l.context();
  return { data: b.load(context, DATA, 4, { kind: "packet" }), end: b.load(context, DATA_END, 4, { kind: "packet" }) };
}

/**
 * The address of a header, or 0 where the packet ends before it does. The address that is compared with the packet's end comes
 * of the very one that is read through: the kernel knows addresses with a run-time distance by that.
 */
export function packetAt(l: Lowering, expr: Extract<Expr, { readonly op: "packetAt" }>): Inst {
  const { b } = l;
  const given = value(l, expr.offset);
  const distance = given.op === "const" ? given : l.bound(given, MOST_OFFSET, "the packet", nameOf(expr.offset));
  const { data, end } = bounds(l);
  const start = given.op === "const" && given.imm === 0n ? data : b.offset(data, distance);
  const limit = b.offset(start, b.constant(BigInt(sizeOf(contentOf(expr.type)))));
  return l.choose(
    "ugt",
    limit,
    end,
    () => l.zero(),
    () => start,
  );
}

/** Bytes from the packet's beginning to its end. */
export function packetLength(l: Lowering): Inst {
  const { data, end } = bounds(l);
  return l.b.sub(end, data);
}
