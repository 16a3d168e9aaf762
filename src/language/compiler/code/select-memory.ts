import { Alu, Atomic, Class, Helper, Mode, Opcode, Width } from "../../../object/asm/index.ts";
import type { Callee, Inst, Size, Slot } from "../ssa/ir.ts";
import { fitsImmediate, fitsOffset } from "./constants.ts";
import { CodeGenerationError, type Constant, MachineInst, NONE } from "./machine.ts";
import { CodeProblemError } from "./problem.ts";
import type { Selector } from "./select.ts";
import { signExtend } from "./select-arithmetic.ts";
import { forgotten, isLostTrackOf, isRemembered } from "./stack-tracking.ts";

const WIDTH: Readonly<Record<Size, number>> = { 1: Width.u8, 2: Width.u16, 4: Width.u32, 8: Width.u64 };
const OPERATION: Readonly<Record<string, number>> = {
  add: Atomic.ADD,
  or: Atomic.OR,
  and: Atomic.AND,
  xor: Atomic.XOR,
  xchg: Atomic.XCHG,
  cmpxchg: Atomic.CMPXCHG,
};
const PROBE_READ: Callee = { kind: "helper", name: "probe_read_kernel", id: Helper.probe_read_kernel, writes: [0] };
/** Before Linux 5.5 the one helper for both. */
const PROBE_READ_ANY: Callee = { kind: "helper", name: "probe_read", id: Helper.probe_read, writes: [0] };

/** Gives a load, store or atomic its base and offset: constant distances go into the offset. */
function address(s: Selector, m: MachineInst, inst: Inst): MachineInst {
  let base = inst.args[0] as Inst;
  let offset = Number(BigInt.asIntN(64, inst.imm));
  while (base.op === "offset" && !s.hasReg(base)) {
    offset += Number(BigInt.asIntN(64, (base.args[1] as Inst).imm));
    base = base.args[0] as Inst;
  }
  if (base.op === "slot") {
    m.slot = base.slot;
    m.offset = offset;
    return m;
  }
  if (base.op === "global") {
    offset += Number(base.imm);
    let anchor = s.anchors.get(base.name);
    if (anchor === undefined || !fitsOffset(offset - anchor.offset)) {
      const constant = s.constants.of(base, offset - Number(base.imm)) as Constant;
      anchor = { vreg: s.constantReg(constant, inst), offset };
      s.anchors.set(base.name, anchor);
    }
    m.a = anchor.vreg;
    m.offset = offset - anchor.offset;
    return m;
  }
  m.a = s.reg(base);
  if (!fitsOffset(offset)) {
    if (!fitsImmediate(BigInt(offset)))
      throw new CodeGenerationError(`${inst.op} #${inst.id} is ${offset} bytes from its base.`);
    m.a = s.alu(Class.ALU64 | Alu.ADD, inst, m.a, NONE, offset);
    offset = 0;
  }
  m.offset = offset;
  return m;
}

export function selectLoad(s: Selector, inst: Inst): void {
  const base = inst.args[0] as Inst;
  const isGuarded = inst.op === "kload" && (base.kind === "plain" || base.kind === "scalar");
  const slot = isGuarded ? probeRead(s, inst, base) : undefined;
  const extendsSign = inst.signed && inst.size < 8 && s.features.isaV4;
  const m = new MachineInst("load", Class.LDX | (extendsSign ? Mode.MEMSX : Mode.MEM) | WIDTH[inst.size], inst);
  if (slot === undefined) address(s, m, inst);
  else m.slot = slot;
  m.dst = s.machine.newVreg(inst);
  s.emit(m);
  const loaded = isLostTrackOf(s, inst) ? forgotten(s, inst, m.dst, inst.size) : m.dst;
  s.define(inst, inst.signed && !extendsSign ? signExtend(s, inst, loaded, inst.size) : loaded);
}

/** Copies what is to be loaded to the stack; the helper leaves zeros where it cannot read. */
function probeRead(s: Selector, inst: Inst, base: Inst): Slot {
  const slot = s.newSlot(inst);
  const distance = Number(BigInt.asIntN(64, inst.imm));
  const pointer = s.operand(base);
  const call = new MachineInst("call", Opcode.CALL, inst);
  call.callee = s.features.probeReadKernel ? PROBE_READ : PROBE_READ_ANY;
  call.operands = [
    { vreg: NONE, add: 0, constant: s.constants.slot(slot) },
    { vreg: NONE, add: 0, constant: s.constants.int(BigInt(inst.size)) },
    pointer.constant === undefined
      ? { vreg: pointer.vreg, add: pointer.add + distance, constant: undefined }
      : { vreg: NONE, add: 0, constant: s.constants.of(base, distance) },
  ];
  s.emit(call);
  return slot;
}

export function selectStore(s: Selector, inst: Inst): void {
  const [base, value] = inst.args as [Inst, Inst];
  if (isRemembered(s, inst)) {
    const m = address(s, new MachineInst("store", Class.STX | Mode.MEM | WIDTH[inst.size], inst), inst);
    m.b = forgotten(s, inst, s.reg(value), 8);
    s.emit(m);
    return;
  }
  // Constants are not stored straight to a context or a kernel object: older kernels refuse it.
  if (value.op === "const" && base.kind !== "context" && base.kind !== "kernel") {
    const cut = BigInt.asIntN(inst.size * 8, value.imm);
    if (fitsImmediate(cut)) {
      const m = address(s, new MachineInst("storeImm", Class.ST | Mode.MEM | WIDTH[inst.size], inst), inst);
      m.imm = Number(cut);
      s.emit(m);
      return;
    }
  }
  const m = address(s, new MachineInst("store", Class.STX | Mode.MEM | WIDTH[inst.size], inst), inst);
  m.b = s.reg(value);
  s.emit(m);
}

export function selectAtomic(s: Selector, inst: Inst): void {
  const isUsed = s.patterns.isUsed(inst);
  const { atomic } = inst;
  if ((isUsed || atomic !== "add") && !s.features.fetchAtomics) {
    throw new CodeProblemError({ kind: "atomic", operation: atomic, isUsed, span: inst.span });
  }
  const isExchange = atomic === "cmpxchg";
  const fetches = !isExchange && (isUsed || atomic === "xchg");
  const m = new MachineInst(fetches ? "fetch" : "atomic", Class.STX | Mode.ATOMIC | WIDTH[inst.size], inst);
  address(s, m, inst);
  m.b = s.reg(inst.args[1] as Inst);
  m.imm = (OPERATION[atomic] as number) | (fetches ? Atomic.FETCH : 0);
  if (fetches) {
    m.dst = s.machine.newVreg(inst);
    s.define(inst, m.dst);
  } else if (isExchange) {
    // Compares with r0 and leaves what was there in it.
    const to = new MachineInst("toRegister", Class.ALU64 | Alu.MOV, inst);
    to.operands = [s.operand(inst.args[2] as Inst)];
    s.emit(to);
  }
  s.emit(m);
  if (isExchange && isUsed) s.define(inst, s.fromRegister(0, inst));
}
