import { NOWHERE } from "../span.ts";
import { isBinary } from "./fold.ts";
import {
  type AtomicOp,
  type Block,
  type Callee,
  type Claim,
  type Condition,
  Func,
  type Inst,
  type Op,
  type Size,
  type ValueKind,
} from "./ir.ts";
import { SsaError } from "./ssa-error.ts";

/** What bounds and fits of a text claim: their messages are not in it. */
const CLAIM: Claim = { code: "EB3101", message: "may be {range}" };

/**
 * Reads what `dump` writes, and the like written by hand (`#` begins a comment line): small functions for tests. Edges' order,
 * and so phis' operands, is that of the lists behind `<-`.
 */
export function parse(text: string): Func {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/\s*;.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const head = /^(program|function|callback) (\w+)\((.*)\)$/.exec(lines[0] ?? "");
  if (head === null) throw new SsaError("misuse", `no function begins with: ${lines[0]}`);
  const params = head[3] === "" ? [] : head[3]!.split(/,\s*/);
  const func = new Func(head[2]!, head[1] as Func["kind"], params as ValueKind[], NOWHERE);
  return new Parser(func).read(lines.slice(1));
}

class Parser {
  readonly #func: Func;
  readonly #blocks = new Map<string, Block>();
  readonly #values = new Map<string, Inst>();
  /** Operands that come later (of phis): filled in at the end. */
  readonly #pending: (() => void)[] = [];

  constructor(func: Func) {
    this.#func = func;
  }

  read(lines: readonly string[]): Func {
    for (const line of lines) {
      const label = /^(b\d+):/.exec(line);
      if (label !== null) this.#blocks.set(label[1]!, this.#func.newBlock());
    }
    let block: Block | undefined;
    for (const line of lines) {
      const label = /^(b\d+):(?: <- ([^l]*?))?(?: loop \d+)?$/.exec(line);
      if (label !== null) {
        block = this.#blocks.get(label[1]!)!;
        if (label[2] !== undefined) for (const pred of label[2].split(/,\s*/)) block.preds.push(this.#block(pred));
        continue;
      }
      const slot = /^slot s\d+ (\d+) align (\d+)(?: (.*))?$/.exec(line);
      if (slot !== null) this.#func.newSlot(Number(slot[1]), Number(slot[2]), slot[3] ?? "", NOWHERE);
      else if (block === undefined) throw new SsaError("misuse", `an instruction before the first block: ${line}`);
      else this.#inst(line, block);
    }
    for (const fill of this.#pending) fill();
    return this.#func;
  }

  #block(label: string): Block {
    const block = this.#blocks.get(label.trim());
    if (block === undefined) throw new SsaError("misuse", `no block ${label}`);
    return block;
  }

  #value(name: string): Inst {
    const value = this.#values.get(name.trim());
    if (value === undefined) throw new SsaError("misuse", `no value ${name}`);
    return value;
  }

  #inst(line: string, block: Block): void {
    const whole = /^(?:(v\w+)(?: (\w+))? = )?(\S+) ?(.*?)(?: : (\w+)(\?)?)?$/.exec(line);
    const branch = /^branch (\w+) (.*) \? (\w+) : (\w+)$/.exec(line);
    if (branch !== null) {
      const end = this.#end("branch", branch[2]!, [branch[3]!, branch[4]!], block);
      end.condition = branch[1] as Condition;
    } else if (whole === null) throw new SsaError("misuse", `cannot read: ${line}`);
    else if (whole[3] === "jump") this.#end("jump", "", [whole[4]!], block);
    else if (whole[3] === "return") this.#end("return", whole[4]!, [], block);
    else {
      const inst = this.#operation(whole[3]!, whole[4]!, block, line);
      if (whole[1] !== undefined) this.#values.set(whole[1], inst);
      inst.variable = whole[2];
      inst.kind = (whole[5] as ValueKind | undefined) ?? this.#kindOf(inst);
      inst.nullable = whole[6] !== undefined;
      if (inst.op === "phi") block.phis.push(inst);
      else block.insts.push(inst);
    }
  }

  /** What the kind is where it is not written. */
  #kindOf(inst: Inst): ValueKind {
    switch (inst.op) {
      case "param":
        return this.#func.params[Number(inst.imm)] ?? "scalar";
      case "slot":
        return "stack";
      case "map":
      case "function":
        return inst.op;
      case "global":
        return "memory";
      case "offset":
        return inst.args[0]!.kind;
      default:
        return "scalar";
    }
  }

  #end(op: "jump" | "branch" | "return", args: string, succs: string[], block: Block): Inst {
    const end = this.#make(op, args, block);
    for (const succ of succs) end.succs.push(this.#block(succ));
    block.end = end;
    return end;
  }

  #make(op: Op, args: string, block: Block): Inst {
    const names = args === "" ? [] : args.split(/,\s*/);
    const inst = this.#func.newInst(op, [], block, NOWHERE);
    if (op === "phi") this.#pending.push(() => inst.args.push(...names.map((name) => this.#value(name))));
    else inst.args.push(...names.map((name) => this.#value(name)));
    return inst;
  }

  /** `v1 + 8`: the value, and the distance as the instruction's `imm`. */
  #address(text: string): [string, bigint] {
    const found = /^(\S+?)(?: ([+-]) (\d+))?$/.exec(text.trim());
    if (found === null) throw new SsaError("misuse", `no address: ${text}`);
    const distance = BigInt(found[3] ?? 0);
    return [found[1]!, found[2] === "-" ? -distance : distance];
  }

  #operation(word: string, rest: string, block: Block, line: string): Inst {
    const sized = /^(load|kload|store|zext|sext|bswap|atomic|fits)([1248])(s?)$/.exec(word);
    if (sized !== null) {
      const inst = this.#sized(sized[1] as Op, rest, block);
      inst.size = Number(sized[2]) as Size;
      inst.signed = sized[3] === "s";
      return inst;
    }
    switch (word) {
      case "const": {
        const inst = this.#make("const", "", block);
        inst.imm = BigInt.asUintN(64, BigInt(rest));
        return inst;
      }
      case "param":
        return Object.assign(this.#make("param", "", block), { imm: BigInt(rest) });
      case "slot":
        return Object.assign(this.#make("slot", "", block), { slot: this.#func.slots[Number(rest.slice(1))] });
      case "map":
        return Object.assign(this.#make("map", "", block), { name: rest });
      case "global": {
        const [name, imm] = this.#address(rest);
        return Object.assign(this.#make("global", "", block), { name, imm });
      }
      case "function":
        return Object.assign(this.#make("function", "", block), { callee: { kind: "function", name: rest } });
      case "bound": {
        const [value, limit] = rest.split(" < ");
        return Object.assign(this.#make("bound", value!, block), { imm: BigInt(limit!), claim: CLAIM });
      }
      case "call":
        return this.#call(rest, block);
      case "neg":
      case "offset":
      case "phi":
        return this.#make(word, rest, block);
      default:
        if (!isBinary(word as Op)) throw new SsaError("misuse", `cannot read: ${line}`);
        return this.#make(word as Op, rest, block);
    }
  }

  #sized(op: Op, rest: string, block: Block): Inst {
    if (op === "zext" || op === "sext" || op === "bswap") return this.#make(op, rest, block);
    if (op === "fits") return Object.assign(this.#make(op, rest, block), { claim: { ...CLAIM, code: "EB2205" } });
    const atomic = op === "atomic" ? rest.slice(0, rest.indexOf(" ")) : undefined;
    const [first, ...others] = (atomic === undefined ? rest : rest.slice(atomic.length + 1)).split(",");
    const [base, imm] = this.#address(first!);
    const inst = this.#make(op, [base, ...others].join(","), block);
    inst.imm = imm;
    if (atomic !== undefined) inst.atomic = atomic as AtomicOp;
    return inst;
  }

  #call(rest: string, block: Block): Inst {
    const found = /^(helper|kfunc|function) (\w+)(?:#(\d+))?\((.*)\)((?: \w+)*)$/.exec(rest);
    if (found === null) throw new SsaError("misuse", `no call: ${rest}`);
    const inst = this.#make("call", found[4]!, block);
    const traits = found[5]!;
    const list = (word: string): number[] | undefined => {
      const numbers = new RegExp(` ${word}((?: \\d+)+)`).exec(traits);
      return numbers === null ? undefined : numbers[1]!.trim().split(" ").map(Number);
    };
    const reads = list("reads");
    const writes = list("writes");
    inst.callee = {
      ...(found[1] === "helper"
        ? { kind: "helper", name: found[2]!, id: Number(found[3] ?? 0) }
        : { kind: found[1] as "kfunc" | "function", name: found[2]! }),
      ...(/ pure\b/.test(traits) ? { pure: true } : {}),
      ...(reads === undefined ? {} : { reads }),
      ...(writes === undefined ? {} : { writes }),
      ...(/ nothing\b/.test(traits) ? { returnsNothing: true } : {}),
      ...(/ takes\b/.test(traits) ? { takes: true } : {}),
      ...(/ gives back\b/.test(traits) ? { givesBack: true } : {}),
    } as Callee;
    return inst;
  }
}
