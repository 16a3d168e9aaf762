import { USDT_ADDRESSES, USDT_KINDS, USDT_SPECS } from "../../../object/spec/index.ts";
import type { Expr, MapDecl } from "../hir.ts";
import { Builder } from "../ssa/builder.ts";
import type { Inst, Size } from "../ssa/ir.ts";
import { mistakesCallers } from "../target.ts";
import { type StructType, sizeOf, U64 } from "../type.ts";
import { CALLEE } from "./callees.ts";
import { copyKernel, movedContext, readThrough } from "./kernel-memory.ts";
import { freshName, Lowering, type Unit } from "./lowering.ts";
import { lookup } from "./maps.ts";

/** Where the kernel keeps the instruction pointer in struct pt_regs. */
const IP = { x64: 128, arm64: 256 } as const;
/** What the functions that read an argument are called in the object. */
const READER = "usdt_argument";

/** The argument with a number of the probe that a USDT program stands at; 0 where the probe has none, or it cannot be read. */
export function usdtArgument(l: Lowering, { args }: Extract<Expr, { readonly op: "helper" }>): Inst {
  const [number] = args;
  if (number?.op !== "number") throw new Error("which argument of a probe is meant is not known");
  const at = l.b.constant(number.value * BigInt(sizeOf(argumentType(l.unit))));
  // The kernel looks at a function anew for each call, with what it was called with: how far `at` is needs no test.
  return mistakesCallers(l.target.features)
    ? read(l, at)
    : l.b.call({ kind: "function", name: reader(l) }, [l.context(), at]);
}

/** What whoever attached a USDT program gave as its cookie. */
export function usdtCookie(l: Lowering): Inst {
  const { b } = l;
  const cookie = l.newVariable();
  b.write(cookie, l.zero());
  withSpec(l, (spec) => b.write(cookie, load(l, specType(l.unit), "usdt_cookie", spec)));
  return b.read(cookie);
}

/** The function that reads one argument, made when it is called first: for the kernel it stands there in the source. */
function reader({ unit, b }: Lowering): string {
  const known = unit.written.get(READER);
  if (known !== undefined) return known;
  const name = freshName(unit.takenNames, READER);
  unit.written.set(READER, name);
  const builder = new Builder(name, "function", ["context", "scalar"], b.span);
  const l = new Lowering(unit, builder, undefined);
  builder.ret(read(l, builder.param(1)));
  unit.functions.push(builder.finish());
  return name;
}

function mapNamed({ module }: Unit, name: string): MapDecl | undefined {
  return module.maps.find((map) => map.name === name);
}

function specType(unit: Unit): StructType {
  const type = mapNamed(unit, USDT_SPECS)?.value;
  if (type?.kind !== "struct") throw new Error(`the module has no map ${USDT_SPECS}`);
  return type;
}

function argumentType(unit: Unit): StructType {
  const list = specType(unit).fields.find(({ name }) => name === "args")?.type;
  if (list?.kind !== "array" || list.element.kind !== "struct") throw new Error("descriptions have no arguments");
  return list.element;
}

function load(l: Lowering, type: StructType, name: string, base: Inst): Inst {
  const field = type.fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`descriptions have no ${name}`);
  return l.b.load(base, field.offset, sizeOf(field.type) as Size);
}

/** Goes on with the description of the place that the program stands at, where there is one. */
function withSpec(l: Lowering, then: (spec: Inst) => void): void {
  const { b, unit } = l;
  const specs = mapNamed(unit, USDT_SPECS) as MapDecl;
  const found = (number: Inst) => {
    const key = l.scratch(4, 4, "number");
    b.store(key.base, 0, 4, number);
    const spec = lookup(l, specs, key.base);
    l.isNull(
      spec,
      () => {},
      () => then(spec),
    );
  };
  const addresses = mapNamed(unit, USDT_ADDRESSES);
  if (addresses === undefined) {
    found(b.call(CALLEE.cookie, [l.context()]));
    return;
  }
  const key = l.scratch(8, 8, "address");
  b.store(key.base, 0, 8, b.load(l.context(), IP[l.target.arch], 8));
  const number = lookup(l, addresses, key.base);
  l.isNull(
    number,
    () => {},
    () => found(b.load(number, 0, 4)),
  );
}

/** Reads the argument whose description stands `at` bytes behind the first one. */
function read(l: Lowering, at: Inst): Inst {
  const { b } = l;
  const value = l.newVariable();
  b.write(value, l.zero());
  withSpec(l, (spec) => {
    const row = b.offset(spec, at);
    const field = (name: string) => load(l, argumentType(l.unit), name, row);
    const kind = field("arg_type");
    const offset = field("val_off");
    const shift = field("arg_bitshift");
    const isKind = (name: keyof typeof USDT_KINDS, yes: () => void, no?: () => void) =>
      l.when("eq", kind, b.constant(BigInt(USDT_KINDS[name])), yes, no);
    const raw = l.newVariable();
    isKind(
      "constant",
      () => b.write(raw, offset),
      () => {
        const register = registerAt(l, field("reg_off"));
        isKind(
          "register",
          () => b.write(raw, register),
          () => {
            const address = l.newVariable();
            b.write(address, b.add(register, offset));
            isKind("scaled", () => {
              const index = registerAt(l, field("idx_reg_off"));
              b.write(address, b.add(b.read(address), b.shl(index, field("scale_bitshift"))));
            });
            b.write(raw, userWord(l, b.read(address), shift));
          },
        );
      },
    );
    const high = b.shl(b.read(raw), shift);
    const extended = l.choose(
      "ne",
      field("arg_signed"),
      l.zero(),
      () => b.ashr(high, shift),
      () => b.lshr(high, shift),
    );
    b.write(value, extended);
  });
  return b.read(value);
}

/** A register of the program that was stopped, by its place in struct pt_regs: at a distance that is not known here. */
function registerAt(l: Lowering, offset: Inst): Inst {
  const from = movedContext(l.b.offset(l.context(), offset), l.context());
  return readThrough(l, U64, (to) => copyKernel(l, to, from, 0, 8));
}

/** The low bytes of a word of the process: no more than the argument has, since behind it there may be nothing. */
function userWord(l: Lowering, address: Inst, shift: Inst): Inst {
  const { b } = l;
  const { base } = l.scratch(8, 8, "argument");
  b.store(base, 0, 8, l.zero());
  const missing = b.and(b.lshr(shift, b.constant(3n)), b.constant(7n));
  const size = b.sub(b.constant(8n), missing);
  b.call(l.target.features.probeReadKernel ? CALLEE.readUser : CALLEE.readAny, [base, size, address]);
  const got = b.load(base, 0, 8);
  // Big-endian words have their low bytes at the end, which were not read.
  return l.target.byteOrder === "little" ? got : b.lshr(got, shift);
}
