import type { Expr, Place } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { sizeOf } from "../type.ts";
import { CALLEE } from "./callees.ts";
import { copyKernelText, copyUser } from "./kernel-memory.ts";
import type { Lowering } from "./lowering.ts";
import { nameOf, placeAddress } from "./places.ts";
import { value } from "./value.ts";

type Op<Name extends Expr["op"]> = Extract<Expr, { readonly op: Name }>;

/** How many bytes of a place a helper takes: all that it has, or a number that is proven to be no more. */
export function lengthWithin(l: Lowering, place: Place, length: Expr | undefined): Inst {
  const size = sizeOf(place.type);
  if (length === undefined) return l.b.constant(BigInt(size));
  const given = value(l, length);
  if (given.op === "const" && given.imm <= BigInt(size)) return given;
  const name = nameOf(length);
  return l.b.bound(given, size + 1, {
    code: "EB3101",
    message: `the length ${name === "" ? "" : `\`${name}\` `}may be {range}, and there are ${size} bytes`,
    why: "The kernel loads a program only when it can prove that every access stays inside.",
    help: `Test it before: \`if (${name || "length"} > ${size}) return;\`, or take \`Math.min(${name || "length"}, ${size})\`.`,
  });
}

/** `readUserInto(…)` and its kin: what the helper says, a negative error among it. */
export function readInto(l: Lowering, { from, isText, place, address, length }: Op<"readInto">): Inst {
  const { b, target } = l;
  const to = placeAddress(l, place);
  const size = lengthWithin(l, place, length);
  const source = value(l, address);
  let status: Inst;
  if (isText) {
    const most = sizeOf(place.type);
    const start = { base: to, offset: 0 };
    status = from === "user" ? copyUser(l, start, source, most, true) : copyKernelText(l, start, source, 0, most);
  } else {
    const callee = !target.features.probeReadKernel
      ? CALLEE.readSomeAny
      : from === "user"
        ? CALLEE.readSomeUser
        : CALLEE.readSomeKernel;
    status = b.call(callee, [to, size, source]);
  }
  // Before Linux 6.4 an error has the lower half of the register only.
  return b.sext(status, 4);
}
