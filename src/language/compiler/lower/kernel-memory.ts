import type { Variable } from "../ssa/builder.ts";
import type { Inst } from "../ssa/ir.ts";
import { type KernelPointer, sizeOf, type Type } from "../type.ts";
import { CALLEE } from "./callees.ts";
import type { Destination, Lowering } from "./lowering.ts";
import { loadScalar, shapeOf, unswap } from "./scalar-memory.ts";
import { unwrapType } from "./shape.ts";

/** The id of the struct or union that a pointer's type names, behind typedefs and qualifiers; undefined for other types. */
export function structOf(l: Lowering, type: Type): number | undefined {
  const { btf } = l.target;
  if (type.kind !== "kernelPointer" || type.type === 0 || btf === undefined) return undefined;
  const id = btf.resolve(type.type);
  const { kind } = btf.type(id);
  return kind === "struct" || kind === "union" ? id : undefined;
}

/**
 * What kind of address a pointer is that was read through another of the kernel's (`through`), or given by the program's
 * context: loads may go straight only where the kernel itself knows what it points to.
 */
export function pointerKind(l: Lowering, type: KernelPointer, through: "kernel" | "plain"): "kernel" | "plain" {
  return through === "kernel" && structOf(l, type) !== undefined ? "kernel" : "plain";
}

/** A number that is meant as a kernel pointer is one from anywhere. */
export function asKernelPointer(got: Inst, type: Type): Inst {
  if (unwrapType(type).kind === "kernelPointer" && got.kind === "scalar" && got.op !== "const" && got.op !== "phi")
    got.kind = "plain";
  return got;
}

/**
 * A pointer as one that loads may go through: an address from anywhere is cast where the kernel can do that (then a load
 * that fails gives 0), else it stays, and each load becomes a call of probe_read.
 */
export function loadable(l: Lowering, pointer: Inst, type: Type): Inst {
  const { b } = l;
  if (pointer.kind === "kernel") return pointer;
  const struct = structOf(l, type);
  if (struct === undefined || !l.target.features.rdonlyCast) return pointer;
  const cast = b.call(CALLEE.rdonlyCast, [pointer, b.constant(BigInt(struct))], { kind: "kernel", nullable: true });
  cast.variable ??= pointer.variable;
  return cast;
}

/** A scalar of the kernel's memory. */
export function loadKernel(l: Lowering, type: Type, base: Inst, offset: number): Inst {
  const { size, signed, swapped } = shapeOf(l, type);
  const kind =
    type.kind === "kernelPointer" ? pointerKind(l, type, base.kind === "kernel" ? "kernel" : "plain") : "scalar";
  const load = () => l.b.kload(base, offset, size, { signed: signed && !swapped, kind, nullable: kind === "kernel" });
  const got = isTested(l, base) ? loadUnlessNull(l, base, load) : load();
  return swapped ? unswap(l, got, size, signed) : got;
}

/** Tracepoints whose arguments are never null: those that programs look at most. */
const NEVER_NULL =
  /^(sys_(enter|exit)|task_(newtask|rename)|signal_\w+|block_rq_\w+|sched_(switch|wak\w+|migrate_task|process_\w+|stat_\w+))$/;

/**
 * Whether the kernel wants a pointer of the context compared with null before it is followed: what iterators give, and some
 * arguments of tracepoints since Linux 6.13. Which ones differs from kernel to kernel; where it knows that one is never null, it
 * takes the comparison out again.
 */
export function isTested(l: Lowering, pointer: Inst): boolean {
  if (pointer.kind !== "kernel" || pointer.op !== "load" || pointer.args[0]?.kind !== "context") return false;
  const { section = "", attachTo = "" } = l.program ?? {};
  return section.startsWith("iter") || (section === "tp_btf" && !NEVER_NULL.test(attachTo));
}

function loadUnlessNull(l: Lowering, base: Inst, load: () => Inst): Inst {
  return l.choose("eq", base, l.zero(), () => l.zero(), load);
}

/** The address `offset` bytes behind, as helpers that read take it. */
export function rawAddress(l: Lowering, base: Inst, offset: number): Inst {
  const { b } = l;
  if (offset === 0) return base;
  return movedContext(b.offset(base, b.constant(BigInt(offset))), base);
}

/** The context that was moved is an address from anywhere: it is no context any more, for loads. */
export function movedContext(moved: Inst, base: Inst): Inst {
  if (base.kind === "context") moved.kind = "plain";
  return moved;
}

/** Where a helper writes to. */
type Start = Pick<Destination, "base" | "offset">;

/** Copies bytes of kernel memory; zeros where they cannot be read. */
export function copyKernel(l: Lowering, to: Start, from: Inst, offset: number, size: number): Inst {
  const { b, target } = l;
  return b.call(target.features.probeReadKernel ? CALLEE.readKernel : CALLEE.readAny, [
    rawAddress(l, to.base, to.offset),
    b.constant(BigInt(size)),
    rawAddress(l, from, offset),
  ]);
}

/** Copies text up to its NUL, or as much as fits with one; what is behind it is left as it was. */
export function copyKernelText(l: Lowering, to: Start, from: Inst, offset: number, size: number): Inst {
  const { b, target } = l;
  return b.call(target.features.probeReadKernel ? CALLEE.readKernelText : CALLEE.readAnyText, [
    rawAddress(l, to.base, to.offset),
    b.constant(BigInt(size)),
    rawAddress(l, from, offset),
  ]);
}

/** Copies bytes or text of the process at work. */
export function copyUser(l: Lowering, to: Start, from: Inst, size: number, isText: boolean): Inst {
  const { b, target } = l;
  const callee = target.features.probeReadKernel
    ? isText
      ? CALLEE.readUserText
      : CALLEE.readUser
    : isText
      ? CALLEE.readAnyText
      : CALLEE.readAny;
  return b.call(callee, [rawAddress(l, to.base, to.offset), b.constant(BigInt(size)), from]);
}

/** A scalar that a helper copies onto the stack first; `present` says whether it could be read. */
export function readThrough(l: Lowering, type: Type, read: (to: Destination) => Inst, present?: Variable): Inst {
  const { b } = l;
  const to = l.scratch(sizeOf(type), Math.max(sizeOf(type), 1), "read");
  const status = read(to);
  if (present !== undefined)
    l.when(
      "eq",
      status,
      l.zero(),
      () => b.write(present, b.constant(1n)),
      () => b.write(present, b.constant(0n)),
    );
  return loadScalar(l, type, to.base, to.offset);
}
