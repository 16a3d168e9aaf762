import type { Expr } from "../hir.ts";
import type { Variable } from "../ssa/builder.ts";
import type { Callee, Inst, Size } from "../ssa/ir.ts";
import { isAggregate, sizeOf, type Type } from "../type.ts";
import { CALLEE } from "./callees.ts";
import { comparing } from "./conditions.ts";
import { log2Floor } from "./integers.ts";
import { fromAddress } from "./into.ts";
import { copyKernel, copyKernelText, copyUser, movedContext, rawAddress, readThrough } from "./kernel-memory.ts";
import type { Destination, Lowering } from "./lowering.ts";
import { zero } from "./memory.ts";
import { resolve } from "./places.ts";
import { unwrapType } from "./shape.ts";
import { usdtArgument, usdtCookie } from "./usdt.ts";
import { value } from "./value.ts";

type HelperExpr = Extract<Expr, { readonly op: "helper" }>;
type Lower = (l: Lowering, expr: HelperExpr, present: Variable | undefined) => Inst;

/** Functions that give texts. */
const TEXTS: ReadonlySet<string> = new Set(["comm", "userStr", "kernelStr", "dataLocStr", "zeros"]);

/** Longest that `comm` is, with its NUL (TASK_COMM_LEN). */
const COMM = 16;

function arg(l: Lowering, { args, name }: HelperExpr, index: number): Inst {
  const given = args[index];
  if (given === undefined) throw new Error(`${name} has no argument ${index}`);
  return value(l, given);
}

/** A helper that gives 0 or a negative error: before Linux 6.4 that has the lower half of the register only. */
function outcome(l: Lowering, callee: Callee, given: Inst): Inst {
  return l.b.sext(l.b.call(callee, [given]), 4);
}

/** A helper of the kernel without arguments. */
function plain(callee: Callee): Lower {
  return (l) => l.b.call(callee, []);
}

function upper(callee: Callee): Lower {
  return (l) => l.b.lshr(l.b.call(callee, []), l.b.constant(32n));
}

function lower(callee: Callee): Lower {
  return (l) => l.b.zext(l.b.call(callee, []), 4);
}

function withContext(callee: Callee): Lower {
  return (l) => l.b.call(callee, [l.context()]);
}

/** The network's byte order is the machine's, or the other. */
function swap(size: Size): Lower {
  return (l, expr) => {
    const given = arg(l, expr, 0);
    return l.target.byteOrder === "little" ? l.b.bswap(given, size) : l.b.zext(given, size);
  };
}

function isSigned(type: Type): boolean {
  return type.kind === "int" && type.signed;
}

function extreme(kind: "min" | "max"): Lower {
  return (l, expr) => {
    // All are evaluated before they are compared.
    const given = expr.args.map((each) => value(l, each));
    const condition = comparing(kind === "min" ? "lt" : "gt", isSigned(expr.type));
    return given.reduce((best, each) =>
      l.choose(
        condition,
        each,
        best,
        () => each,
        () => best,
      ),
    );
  };
}

const abs: Lower = (l, expr) => {
  const given = arg(l, expr, 0);
  return l.choose(
    "slt",
    given,
    l.zero(),
    () => l.b.neg(given),
    () => given,
  );
};

/** Zeros before the highest bit of 32: 32 for 0. */
const clz32: Lower = (l, expr) => {
  const { b } = l;
  const given = b.zext(arg(l, expr, 0), 4);
  const nonZero = b.lshr(b.neg(given), b.constant(63n));
  // At most 32, which is not seen from the difference alone.
  return b.and(b.sub(b.sub(b.constant(32n), nonZero), log2Floor(l, given)), b.constant(63n));
};

const task: Lower = (l) => {
  if (l.target.features.currentTaskBtf) return l.b.call(CALLEE.currentTaskBtf, [], { kind: "kernel" });
  return l.b.call(CALLEE.currentTask, [], { kind: "plain" });
};

/** The helper wants to know how many bytes the ids have: struct bpf_pidns_info. */
const nsPidTgid: Lower = (l, expr) => {
  const { b } = l;
  const [device, inode] = [arg(l, expr, 0), arg(l, expr, 1)];
  const to = l.scratch(8, 8, "ids");
  // Where it fails it writes zeros.
  b.call(CALLEE.nsPidTgid, [device, inode, to.base, b.constant(8n)]);
  return b.load(to.base, to.offset, 8);
};

function readScalar(copy: (l: Lowering, expr: HelperExpr, to: Destination, size: number) => Inst): Lower {
  return (l, expr, present) => {
    const type = unwrapType(expr.type);
    return readThrough(l, type, (to) => copy(l, expr, to, sizeOf(type)), present);
  };
}

const LOWERED: Readonly<Record<string, Lower>> = {
  pid: upper(CALLEE.pidTgid),
  tid: lower(CALLEE.pidTgid),
  pidTgid: plain(CALLEE.pidTgid),
  nsPidTgid,
  taskAddress: plain(CALLEE.currentTask),
  taskRegisters: (l) => {
    const current = l.b.call(CALLEE.currentTaskBtf, [], { kind: "kernel" });
    return l.b.call(CALLEE.taskRegisters, [current], { kind: "plain" });
  },
  uid: lower(CALLEE.uidGid),
  gid: upper(CALLEE.uidGid),
  ktime: plain(CALLEE.ktime),
  ktimeBoot: plain(CALLEE.ktimeBoot),
  // Numbers of 32 bits, which the kernel gives in 64 that it knows nothing of.
  cpu: lower(CALLEE.cpu),
  numaNode: lower(CALLEE.numaNode),
  cgroupId: plain(CALLEE.cgroupId),
  // The upper half of what the helper gives means nothing.
  random: lower(CALLEE.random),
  jiffies: plain(CALLEE.jiffies),
  funcIp: withContext(CALLEE.funcIp),
  cookie: (l, expr, present) =>
    l.program?.section === "usdt" ? usdtCookie(l) : withContext(CALLEE.cookie)(l, expr, present),
  usdtArgument,
  task,
  signal: (l, expr) => outcome(l, CALLEE.signal, arg(l, expr, 0)),
  signalThread: (l, expr) => outcome(l, CALLEE.signalThread, arg(l, expr, 0)),
  ntohs: swap(2),
  htons: swap(2),
  ntohl: swap(4),
  htonl: swap(4),
  ntohll: swap(8),
  htonll: swap(8),
  min: extreme("min"),
  max: extreme("max"),
  abs,
  clz32,
  // At most 63, which is not seen from how it is put together.
  log2: (l, expr) => l.b.and(log2Floor(l, arg(l, expr, 0)), l.b.constant(63n)),
  readUser: readScalar((l, expr, to, size) => copyUser(l, to, arg(l, expr, 0), size, false)),
  readKernel: readScalar((l, expr, to, size) => copyKernel(l, to, arg(l, expr, 0), 0, size)),
};

/** Names of the vocabulary's functions that have code. */
export const HELPERS: ReadonlySet<string> = new Set([...Object.keys(LOWERED), ...TEXTS]);

/** What a function of the vocabulary gives, where a register holds it; `present` becomes whether an optional is there. */
export function helperValue(l: Lowering, expr: HelperExpr, present?: Variable): Inst {
  if (present !== undefined) l.b.write(present, l.b.constant(1n));
  const type = unwrapType(expr.type);
  if (isAggregate(type) || TEXTS.has(expr.name)) {
    const to = l.temporary(type, expr.name);
    helperInto(l, type, expr, to, present);
    return to.base;
  }
  const found = Object.hasOwn(LOWERED, expr.name) ? LOWERED[expr.name] : undefined;
  if (found === undefined) {
    unknown(l, expr);
    return l.b.constant(0n);
  }
  return found(l, expr, present);
}

function unknown(l: Lowering, expr: HelperExpr): void {
  l.report("EB9002", expr.span, `there is no code for \`${expr.name}()\``, {
    why: "The checker knows the function and the compiler does not: this is a bug of the compiler.",
  });
}

/** What a function of the vocabulary puts into memory: texts, bytes, what is read from elsewhere. */
export function helperInto(l: Lowering, type: Type, expr: HelperExpr, to: Destination, present?: Variable): void {
  const { b } = l;
  const size = sizeOf(type);
  const said = (status: Inst, failed: "slt" | "ne") => {
    if (present === undefined) return;
    l.when(
      failed,
      status,
      l.zero(),
      () => b.write(present, b.constant(0n)),
      () => b.write(present, b.constant(1n)),
    );
  };
  // No longer than the text that was asked for.
  const length = type.kind === "str" ? Math.min(size, sizeOf(unwrapType(expr.type)) || size) : size;
  switch (expr.name) {
    case "comm": {
      const used = Math.min(size, COMM);
      // From Linux 5.18 to 6.3 the kernel writes nothing behind the NUL: a key would have what stood there before. Iterators are
      // there since 6.4.
      const pads = l.target.features.iterNum;
      zero(l, to, pads ? used : 0, pads ? size - used : size);
      b.call(pads ? CALLEE.comm : CALLEE.commToNul, [rawAddress(l, to.base, to.offset), b.constant(BigInt(used))]);
      return;
    }
    case "userStr": {
      const from = arg(l, expr, 0);
      zero(l, to, 0, size);
      said(copyUser(l, to, from, length, true), "slt");
      return;
    }
    case "kernelStr": {
      const [text] = expr.args;
      if (text?.op === "read" && text.type.kind === "str") {
        // An array of the kernel's that holds the text itself, not its address.
        const cut: Type = { kind: "str", size: length };
        fromAddress(l, cut, text.type, resolve(l, text.place), to);
        zero(l, to, length, size - length);
        if (present !== undefined) b.write(present, b.constant(1n));
        return;
      }
      const from = arg(l, expr, 0);
      zero(l, to, 0, size);
      said(copyKernelText(l, to, from, 0, length), "slt");
      return;
    }
    case "dataLocStr": {
      // The lower half of the word says where in the record of the tracepoint the text stands.
      const at = b.and(arg(l, expr, 0), b.constant(0xffffn));
      zero(l, to, 0, size);
      copyKernelText(l, to, movedContext(b.offset(l.context(), at), l.context()), 0, length);
      return;
    }
    case "zeros":
      zero(l, to, 0, size);
      return;
    case "readUser": {
      said(copyUser(l, to, arg(l, expr, 0), size, false), "ne");
      return;
    }
    case "readKernel": {
      copyKernel(l, to, arg(l, expr, 0), 0, size);
      return;
    }
    default:
      zero(l, to, 0, size);
      unknown(l, expr);
  }
}
