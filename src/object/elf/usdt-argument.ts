import { ElfMachine } from "./elf-tables.ts";
import { registersOf, type SavedRegister } from "./usdt-registers.ts";

/** Where one argument of a probe is while the program stands at it. */
export type UsdtArgument = {
  /** Bytes that it has, and whether they are a signed number. */
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
} & (
  | { readonly kind: "constant"; readonly value: bigint }
  /** In a register, by its place in `struct pt_regs`. */
  | { readonly kind: "register"; readonly register: number }
  /** In memory, at the register's value and `displacement`, and for `scaled` the index register's value shifted left. */
  | { readonly kind: "memory"; readonly register: number; readonly displacement: bigint }
  | {
      readonly kind: "scaled";
      readonly register: number;
      readonly displacement: bigint;
      readonly index: number;
      readonly shift: 0 | 1 | 2 | 3;
    }
);

/** An argument that cannot be read at a probe. */
export class UsdtArgumentError extends Error {
  override readonly name = "UsdtArgumentError";
  readonly code = "SKEP_USDT_ARGUMENT";
}

/**
 * Reads where a probe's arguments are (`-4@%edi 8@-16(%rbp,%rax,8)`; on arm64 `8@x0 -4@[sp, 60]`), of programs for the
 * machine `machine` (`ElfMachine`). Throws UsdtArgumentError for one that a program at the probe cannot get at.
 */
export function parseUsdtArguments(text: string, machine: number): readonly UsdtArgument[] {
  const registers = registersOf(machine);
  if (registers === undefined) {
    if (text.trim() === "") return [];
    throw new UsdtArgumentError(
      `The arguments "${text}" are those of a program for machine ${machine}: they are known of x86-64, x86 and arm64.`,
    );
  }
  const read = machine === ElfMachine.arm64 ? readArm64 : readX64;
  return words(text).map((word, number): UsdtArgument => {
    const fault = (why: string) =>
      new UsdtArgumentError(`Argument ${number} of the probe, "${word}", cannot be read: ${why}`);
    const [, minus, digits, suffix, operand = ""] = /^(-?)(\d+)([a-z]?)@(.+)$/.exec(word) ?? [];
    const size = Number(digits);
    if (suffix === "f")
      throw fault(
        "it is a floating-point number, and programs see no registers of those. Have the program pass it as an integer or a pointer.",
      );
    if (!isSize(size)) throw fault("it does not begin with its size, 1, 2, 4 or 8 bytes and an @.");
    const place = read(operand, size, registers, fault);
    return { size, signed: minus === "-", ...place };
  });
}

type Place = UsdtArgument extends infer A ? (A extends unknown ? Omit<A, "size" | "signed"> : never) : never;
type Registers = ReadonlyMap<string, SavedRegister>;
type Fault = (why: string) => Error;

const isSize = (size: number): size is 1 | 2 | 4 | 8 => size === 1 || size === 2 || size === 4 || size === 8;

/** The text at blanks, but for those between brackets: arm64 has `[sp, 60]`. */
function words(text: string): readonly string[] {
  return text.match(/(?:\[[^\]]*\]?|\([^)]*\)?|[^\s[(])+/g) ?? [];
}

const NUMBER = /^[+-]?(?:0x[0-9a-fA-F]+|\d+)$/;

function bigintOf(text: string): bigint {
  const value = BigInt(text.replace(/^[+-]/, ""));
  return text.startsWith("-") ? -value : value;
}

/** A sum of numbers, as compilers write displacements now and then: `-16+8`. */
function displacementOf(text: string): bigint | undefined {
  if (text === "") return 0n;
  const terms = text.match(/[+-]?[^+-]+/g) ?? [];
  if (terms.join("") !== text || !terms.every((term) => NUMBER.test(term))) return undefined;
  return terms.reduce((sum, term) => sum + bigintOf(term), 0n);
}

const SYMBOL =
  "it is a variable of the program's (an address in the file, not in a register). Have the program copy it into a local variable before the probe, or read it by its symbol.";

function readX64(operand: string, size: number, registers: Registers, fault: Fault): Place {
  const register = (name: string) => {
    const found = registers.get(name);
    if (found === undefined) throw fault(`"%${name}" is no register that the kernel keeps at a probe.`);
    return found;
  };
  if (operand.startsWith("$")) {
    const number = operand.slice(1);
    if (!NUMBER.test(number)) throw fault(`"${operand}" is no number.`);
    return { kind: "constant", value: bigintOf(number) };
  }
  if (operand.startsWith("%")) {
    const found = register(operand.slice(1));
    if (found.size < size) throw fault(`"${operand}" has ${found.size} bytes, and the argument ${size}.`);
    return { kind: "register", register: found.offset };
  }
  const [, before, inside] = /^([^()]*)\(([^()]*)\)$/.exec(operand) ?? [];
  if (before === undefined || inside === undefined) throw fault(SYMBOL);
  const [base = "", index = "", scale = "1", more] = inside.split(",").map((part) => part.trim());
  if (base === "%rip" || base === "%eip") throw fault(SYMBOL);
  const displacement = displacementOf(before);
  if (displacement === undefined) throw fault(SYMBOL);
  const name = (text: string) => {
    if (!text.startsWith("%")) throw fault(`"${text}" is no register.`);
    const found = register(text.slice(1));
    if (found.size < 4) throw fault(`"${text}" has ${found.size} bytes, which is no address.`);
    return found.offset;
  };
  const shift = ["1", "2", "4", "8"].indexOf(scale);
  if (more !== undefined || shift < 0) throw fault(`"(${inside})" is no address: (base, index, scale).`);
  if (index === "") return { kind: "memory", register: name(base), displacement };
  if (base === "") {
    // An index that is not scaled is as good as a base.
    if (shift === 0) return { kind: "memory", register: name(index), displacement };
    throw fault("its address has a scaled index and no base.");
  }
  return { kind: "scaled", register: name(base), displacement, index: name(index), shift: shift as 0 | 1 | 2 | 3 };
}

function readArm64(operand: string, size: number, registers: Registers, fault: Fault): Place {
  if (NUMBER.test(operand)) return { kind: "constant", value: bigintOf(operand) };
  if (operand === "xzr" || operand === "wzr") return { kind: "constant", value: 0n };
  const [, inside] = /^\[([^[\]]*)\]$/.exec(operand) ?? [];
  if (inside === undefined) {
    const found = registers.get(operand);
    if (found === undefined)
      throw fault(
        /^[a-z]\d+$/.test(operand) ? `"${operand}" is no register that the kernel keeps at a probe.` : SYMBOL,
      );
    if (found.size < size) throw fault(`"${operand}" has ${found.size} bytes, and the argument ${size}.`);
    return { kind: "register", register: found.offset };
  }
  const [base = "", second, third, more] = inside.split(",").map((part) => part.trim());
  const address = (name: string) => {
    const found = registers.get(name);
    if (found?.size !== 8) throw fault(`"${name}" is no register of 64 bits that the kernel keeps at a probe.`);
    return found.offset;
  };
  const register = address(base);
  if (more !== undefined) throw fault(`"[${inside}]" is no address: [base, displacement] or [base, index, lsl n].`);
  if (second === undefined) return { kind: "memory", register, displacement: 0n };
  const number = second.replace(/^#/, "");
  if (NUMBER.test(number) && third === undefined) return { kind: "memory", register, displacement: bigintOf(number) };
  const [, amount] = /^lsl #?([0-3])$/.exec(third ?? "lsl 0") ?? [];
  if (amount === undefined) throw fault(`its index is extended ("${third}"), which a program at the probe cannot do.`);
  return { kind: "scaled", register, displacement: 0n, index: address(second), shift: Number(amount) as 0 | 1 | 2 | 3 };
}
