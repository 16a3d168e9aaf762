import type { CallExpression, Expression } from "@oxc-project/types";
import { USDT_MOST_ARGUMENTS } from "../../../object/spec/index.ts";
import type { FunctionDecl, Local, ProgramDecl, Stmt } from "../hir.ts";
import type { Span } from "../span.ts";
import { parseTracepointFormat, type TracepointField, tracepointName } from "../tracepoint-format.ts";
import { I32, I64, sizeOf, type Type, U32, U64 } from "../type.ts";
import { PROGRAM_WORDS } from "../vocabulary/words.ts";
import type { Checker } from "./checker.ts";
import { constantOf } from "./constants.ts";
import { type ContextField, type ContextShape, type FileScope, type FunctionSource, functionSource } from "./entity.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { checkBody, refuseSpecial } from "./functions.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { contextRead, fieldOfContext, takenField } from "./members.ts";
import { argumentsWritten, typeOfDescriptor, vocabularyCallee } from "./type-expressions.ts";

/** What a program's function finds: its context under one name, or values, one for each parameter. */
type Parameters =
  | { readonly kind: "context"; readonly shape: ContextShape }
  | { readonly kind: "packet" }
  | { readonly kind: "values"; readonly values: readonly ContextField[]; readonly what: string };

interface Kind {
  readonly decl: ProgramDecl;
  readonly parameters: Parameters;
  /** What it returns; `undefined`: any number or nothing. */
  readonly result?: Type;
  /** Only these numbers, written as they are. */
  readonly verdicts?: number;
}

/** A program being declared. */
interface Declaration {
  readonly cx: Checker;
  readonly file: FileScope;
  readonly node: CallExpression;
  readonly span: Span;
  /** Arguments before the function. */
  readonly args: readonly Expression[];
}

const RETURNS: Type = I64;

/** By the name in `skep/kernel`: how many arguments stand before the function, and what it makes of them. */
const PROGRAMS: Readonly<
  Record<string, { readonly least: number; readonly most: number; readonly make: (one: Declaration) => Kind }>
> = {
  tracepoint: { least: 1, most: 1, make: tracepoint },
  rawTracepoint: { least: 1, most: 1, make: (one) => traced(one, "raw_tp") },
  tpBtf: { least: 1, most: 1, make: (one) => traced(one, "tp_btf") },
  kprobe: { least: 1, most: 1, make: (one) => probed(one, "kprobe") },
  kretprobe: { least: 1, most: 1, make: (one) => probed(one, "kretprobe") },
  uprobe: { least: 2, most: 2, make: (one) => userProbed(one, "uprobe") },
  uretprobe: { least: 2, most: 2, make: (one) => userProbed(one, "uretprobe") },
  usdt: { least: 3, most: 3, make: usdt },
  fentry: { least: 1, most: 1, make: (one) => entered(one, "fentry") },
  fexit: { least: 1, most: 1, make: (one) => entered(one, "fexit") },
  lsm: { least: 1, most: 1, make: lsm },
  profile: { least: 1, most: 1, make: (one) => scheduled(one, "profile") },
  interval: { least: 1, most: 1, make: (one) => scheduled(one, "interval") },
  iter: { least: 1, most: 1, make: iterator },
  xdp: { least: 0, most: 0, make: xdp },
  syscall: { least: 0, most: 1, make: syscall },
};
/** Whether a call declares a program. */
export function isProgramCall(file: FileScope, node: CallExpression): boolean {
  return PROGRAM_WORDS.has(vocabularyCallee(file, node) ?? "");
}

/** The program that a call declares; it is added to the module. */
export function declareProgram(
  cx: Checker,
  file: FileScope,
  node: CallExpression,
  name: string,
  exported: boolean,
): undefined {
  const callee = vocabularyCallee(file, node) ?? "";
  const span = cx.span(file, node);
  const { least, most, make } = PROGRAMS[callee] as (typeof PROGRAMS)[string];
  const args = argumentsWritten(cx, file, node);
  const body = args.pop();
  if (body === undefined || args.length < least || args.length > most)
    return cx.report.fail(
      "TS2554",
      span,
      `\`${callee}\` takes ${least === most ? least : `${least} or ${most}`} argument${most === 1 ? "" : "s"} and the program's function behind.`,
    );
  if (body.type !== "ArrowFunctionExpression" && body.type !== "FunctionExpression")
    return cx.report.fail("EB2024", cx.span(file, body), "A program is a function that is written here.", {
      help: `\`${callee}(…, (ctx) => { … })\`.`,
    });
  const source = functionSource(file, name, body, cx.span(file, body));
  refuseSpecial(cx, source);
  const made = make({ cx, file, node, span, args });
  const context: Local = {
    name: "ctx",
    type: { kind: "kernelPointer", type: 0, name: "", trust: "plain" },
    mutable: false,
    span,
  };
  const { body: statements, result } = checkBody(
    cx,
    source,
    {
      isProgram: true,
      result: made.result ?? RETURNS,
      returnsNothing: made.result === undefined,
      ...(made.verdicts !== undefined && { verdicts: made.verdicts }),
    },
    (fc) => bindParameters(fc, source, made.parameters),
  );
  const decl: FunctionDecl = {
    name: cx.unique(name),
    exported,
    program: made.decl,
    params: [context],
    result,
    body: statements,
    span: source.span,
  };
  cx.functions.push(decl);
}

/** Gives the function's parameters their names; values are read before its first statement. */
function bindParameters(fc: FunctionChecker, { node, span }: FunctionSource, parameters: Parameters): Stmt[] {
  const nodes = node.params;
  const most = parameters.kind === "values" ? parameters.values.length : 1;
  if (nodes.length > most) {
    const what =
      parameters.kind === "values"
        ? parameters.what
        : parameters.kind === "context"
          ? parameters.shape.what
          : "a packet's program";
    fc.cx.report.add("TS2345", span, `The function has ${nodes.length} parameters, and ${what} has ${most}.`);
  }
  const first: Stmt[] = [];
  for (const [i, param] of nodes.slice(0, most).entries()) {
    fc.cx.report.attempt(() => {
      if (parameters.kind === "context") return bindContext(fc, param, parameters.shape, first);
      if (parameters.kind === "packet") {
        if (param.type !== "Identifier") return fc.fail("EB1008", param, "A parameter has a plain name here.");
        fc.scope.set(param.name, { kind: "packet" });
        return undefined;
      }
      const value = parameters.values[i];
      if (param.type !== "Identifier" || value === undefined)
        return fc.fail("EB1008", param, "A parameter has a plain name here.");
      return bindValue(fc, param, value, first);
    });
  }
  return first;
}

function bindContext(
  fc: FunctionChecker,
  param: FunctionSource["node"]["params"][number],
  shape: ContextShape,
  first: Stmt[],
): undefined {
  if (param.type === "Identifier") {
    fc.scope.set(param.name, { kind: "context", shape });
    return undefined;
  }
  if (param.type !== "ObjectPattern")
    return fc.fail("EB1008", param, "A parameter has a plain name here, or takes fields by theirs.");
  for (const property of param.properties) {
    const { field, id } = takenField(fc, property);
    bindValue(fc, id, fieldOfContext(fc, shape, field, property), first);
  }
}

function bindValue(
  fc: FunctionChecker,
  id: { name: string; start: number; end: number },
  field: ContextField,
  first: Stmt[],
): undefined {
  const span = fc.span(id);
  const init = contextRead(fc, field, id);
  const local: Local = { name: id.name, type: init.type, mutable: false, span };
  fc.scope.set(id.name, { kind: "local", local, isConst: false, node: id });
  first.push({ op: "let", local, init, span });
}

// ---- what each kind finds

function nameOf({ cx, file, args }: Declaration, position = 0): string {
  const node = args[position] as Expression;
  const name = constantOf(cx, file, node);
  return typeof name === "string"
    ? name
    : cx.report.fail("TS2345", cx.span(file, node), "A name is wanted here, as a text.");
}

function at({ cx, file, args, span }: Declaration, position = 0): Span {
  const node = args[position];
  return node === undefined ? span : cx.span(file, node);
}

function program(section: string, attachTo: string, contextSize: number, more: Partial<ProgramDecl> = {}): ProgramDecl {
  return { section, attachTo, sleepable: false, btfPointers: false, contextSize, ...more };
}

function tracepoint(one: Declaration): Kind {
  const { cx } = one;
  const name = nameOf(one);
  const parts = tracepointName(name);
  if (parts === undefined)
    return cx.report.fail("TS2345", at(one), `"${name}" is no tracepoint.`, {
      help: 'A tracepoint is its category and its name: `"syscalls:sys_enter_openat"`.',
    });
  const { category, event } = parts;
  const text = cx.target.tracepointFormat(category, event);
  if (text === undefined)
    return cx.report.fail("TS2345", at(one), `This kernel has no tracepoint ${category}:${event}.`, {
      help: "/sys/kernel/tracing/events has the tracepoints of this kernel, by category.",
    });
  const format = parseTracepointFormat(text, (word) => cx.kernelTypes?.integer(word));
  const fields = new Map<string, ContextField>();
  for (const field of format.fields) {
    const type = fieldType(cx, field);
    if (type !== undefined) fields.set(field.name, type);
  }
  const shape: ContextShape = { what: `tracepoint ${category}:${event}`, tracepoint: name, fields };
  return { decl: program("tracepoint", `${category}/${event}`, format.size), parameters: { kind: "context", shape } };
}

function fieldType(cx: Checker, { type, offset }: TracepointField): ContextField | undefined {
  switch (type.kind) {
    case "int":
      return { offset, type };
    case "bool":
      return { offset, type: { kind: "bool" } };
    case "text":
      return { offset, type: { kind: "str", size: type.size } };
    case "array":
      return { offset, type: { kind: "array", element: type.element, length: type.length } };
    case "bytes":
      return { offset, type: { kind: "bytes", size: type.size } };
    case "userPointer":
      return { offset, type: { kind: "userPointer" } };
    case "kernelPointer": {
      const { struct } = type;
      const id = struct === undefined ? undefined : cx.kernelTypes?.struct(struct);
      const name = id === undefined || struct === undefined ? "" : struct;
      return { offset, type: { kind: "kernelPointer", type: id ?? 0, name, trust: "plain" } };
    }
    case "located":
      return type.element === "text" && !type.relative
        ? { offset, type: { kind: "str", size: 64 }, dataLoc: true }
        : undefined;
  }
}

/** Arguments of a function of the kernel by its prototype, each in a slot of 8 bytes. */
function argumentsOf(kernel: KernelTypes, prototype: number, skip: number, trust: "trusted" | "plain"): ContextField[] {
  const proto = kernel.btf.type(kernel.resolve(prototype));
  if (proto.kind !== "prototype") return [];
  return proto.parameters
    .slice(skip)
    .map(({ type }, i): ContextField => ({ offset: 8 * i, type: kernel.register(type, trust) }));
}

/** What a function of the kernel gives, in a register. */
function resultOf(kernel: KernelTypes, prototype: number, trust: "trusted" | "plain"): Type {
  const proto = kernel.btf.type(kernel.resolve(prototype));
  return proto.kind === "prototype" ? kernel.register(proto.result, trust) : U64;
}

/** The most arguments that a tracepoint has (MAX_BPF_FUNC_ARGS). */
const MOST_ARGUMENTS = 12;

function traced(one: Declaration, section: "raw_tp" | "tp_btf"): Kind {
  const { cx } = one;
  const name = nameOf(one);
  const what = `tracepoint ${name}`;
  if (section === "raw_tp" && cx.kernelTypes === undefined) {
    // A kernel without types does not say what the arguments are, nor how many: as numbers they are there all the same.
    const args = Array.from({ length: MOST_ARGUMENTS }, (_, i): ContextField => ({ offset: 8 * i, type: U64 }));
    const parameters = { kind: "context", shape: { what, fields: new Map(), args } } as const;
    return { decl: program(section, name, 8 * args.length), parameters };
  }
  const kernel = cx.kernel(at(one));
  const typedef = kernel.btf.find(`btf_trace_${name}`, "typedef");
  if (typedef === undefined)
    return cx.report.fail("TS2345", at(one), `This kernel has no raw tracepoint "${name}".`, {
      help: 'Raw tracepoints have names without a category: `"sys_enter"`, `"sched_switch"`.',
    });
  const pointer = kernel.btf.type(kernel.resolve(typedef));
  const trust = section === "tp_btf" ? "trusted" : "plain";
  const args = pointer.kind === "pointer" ? argumentsOf(kernel, pointer.type, 1, trust) : [];
  const decl = program(section, name, 8 * args.length, { btfPointers: section === "tp_btf" });
  if (section === "tp_btf") return { decl, parameters: { kind: "values", values: args, what } };
  const shape: ContextShape = { what, fields: new Map(), args };
  return { decl, parameters: { kind: "context", shape } };
}

/** Where the kernel's calling convention has arguments and results in struct pt_regs. */
const REGISTERS: Readonly<
  Record<"x64" | "arm64", { readonly args: readonly number[]; readonly result: number; readonly size: number }>
> = {
  x64: { args: [112, 104, 96, 88, 72, 64], result: 80, size: 168 },
  arm64: { args: [0, 8, 16, 24, 32, 40, 48, 56], result: 0, size: 272 },
};

/** The prototype of a function of the kernel. */
function functionOf(one: Declaration, name: string): { kernel: KernelTypes; prototype: number } {
  const { cx } = one;
  const kernel = cx.kernel(at(one));
  const prototype = kernel.functionPrototype(name);
  if (prototype === undefined)
    return cx.report.fail("TS2345", at(one), `The types of this kernel have no function "${name}".`, {
      why: "It may not exist in this version, or the compiler has built it into its callers.",
      help: "/sys/kernel/tracing/available_filter_functions has the functions that can be traced.",
    });
  return { kernel, prototype };
}

function probed(one: Declaration, section: "kprobe" | "kretprobe"): Kind {
  const name = nameOf(one);
  const { kernel, prototype } = functionOf(one, name);
  const registers = REGISTERS[one.cx.target.arch];
  const what = `function ${name}`;
  const decl = program(section, name, registers.size);
  if (section === "kretprobe") {
    const type = resultOf(kernel, prototype, "plain");
    return {
      decl,
      parameters: { kind: "context", shape: { what, fields: new Map([["ret", { offset: registers.result, type }]]) } },
    };
  }
  const args = argumentsOf(kernel, prototype, 0, "plain")
    .slice(0, registers.args.length)
    .map((field, i): ContextField => ({ ...field, offset: registers.args[i] as number }));
  return { decl, parameters: { kind: "context", shape: { what, fields: new Map(), args } } };
}

function userProbed(one: Declaration, section: "uprobe" | "uretprobe"): Kind {
  const file = nameOf(one);
  const symbol = nameOf(one, 1);
  const registers = REGISTERS[one.cx.target.arch];
  const what = `function ${symbol}`;
  const decl = program(section, `${file}:${symbol}`, registers.size);
  if (section === "uretprobe")
    return {
      decl,
      parameters: {
        kind: "context",
        shape: { what, fields: new Map([["ret", { offset: registers.result, type: U64 }]]) },
      },
    };
  const args = registers.args.map((offset): ContextField => ({ offset, type: U64 }));
  return { decl, parameters: { kind: "context", shape: { what, fields: new Map(), args } } };
}

function usdt(one: Declaration): Kind {
  const { cx, span } = one;
  const parts = [nameOf(one), nameOf(one, 1), nameOf(one, 2)] as const;
  for (const [i, part] of parts.entries())
    if (part === "" || (i > 0 && part.includes(":")))
      return cx.report.fail("TS2345", at(one, i), `"${part}" is no ${["file", "provider", "probe"][i]}.`, {
        help: '`usdt("libc", "libc", "memory_sbrk_more", …)`: the file, who named the probe, its name.',
      });
  cx.probe ??= span;
  const args = Array.from(
    { length: USDT_MOST_ARGUMENTS },
    (_, i): ContextField => ({ offset: 0, type: I64, argument: i }),
  );
  const shape: ContextShape = { what: `probe ${parts[1]}:${parts[2]}`, fields: new Map(), args };
  return {
    decl: program("usdt", parts.join(":"), REGISTERS[cx.target.arch].size),
    parameters: { kind: "context", shape },
  };
}

function entered(one: Declaration, section: "fentry" | "fexit"): Kind {
  const name = nameOf(one);
  const { kernel, prototype } = functionOf(one, name);
  const args = argumentsOf(kernel, prototype, 0, "trusted");
  const what = `function ${name}`;
  if (section === "fentry")
    return {
      decl: program(section, name, 8 * args.length, { btfPointers: true }),
      parameters: { kind: "values", values: args, what },
    };
  const ret: ContextField = { offset: 8 * args.length, type: resultOf(kernel, prototype, "trusted") };
  return {
    decl: program(section, name, 8 * (args.length + 1), { btfPointers: true }),
    parameters: { kind: "values", values: [ret, ...args], what },
  };
}

function lsm(one: Declaration): Kind {
  const { cx } = one;
  const name = nameOf(one);
  const kernel = cx.kernel(at(one));
  const prototype = kernel.functionPrototype(`bpf_lsm_${name}`);
  if (prototype === undefined)
    return cx.report.fail("TS2345", at(one), `The security modules of this kernel have no hook "${name}".`);
  const args = argumentsOf(kernel, prototype, 0, "trusted");
  return {
    decl: program("lsm", name, 8 * args.length, { btfPointers: true }),
    parameters: { kind: "values", values: args, what: `hook ${name}` },
    result: I32,
  };
}

function scheduled(one: Declaration, kind: "profile" | "interval"): Kind {
  const { cx, file, args } = one;
  const options = constantOf(cx, file, args[0] as Expression);
  const key = kind === "profile" ? "hz" : "ms";
  const given =
    typeof options === "object" && !Array.isArray(options) ? (options as Record<string, unknown>)[key] : undefined;
  if (typeof given !== "bigint" || given < 1n || given > 1_000_000n)
    return cx.report.fail(
      "TS2345",
      at(one),
      `\`${kind}\` says how often: \`${kind}({ ${key}: ${kind === "profile" ? 99 : 1000} }, …)\`.`,
    );
  const number = Number(given);
  const schedule = kind === "profile" ? ({ kind, hz: number } as const) : ({ kind, ms: number } as const);
  const { size } = REGISTERS[cx.target.arch];
  const fields = new Map<string, ContextField>([
    ["sample_period", { offset: size, type: U64 }],
    ["addr", { offset: size + 8, type: U64 }],
  ]);
  return {
    decl: program("perf_event", "", size + 16, { schedule }),
    parameters: { kind: "context", shape: { what: `a ${kind} program's context`, fields } },
  };
}

function iterator(one: Declaration): Kind {
  const { cx } = one;
  const name = nameOf(one);
  const context = cx.kernel(at(one)).iterator(name);
  if (context === undefined) return cx.report.fail("TS2345", at(one), `This kernel has no iterator "${name}".`);
  const fields = new Map(
    context.fields.map(({ name: field, offset, type, nullable }): [string, ContextField] => [
      field,
      { offset, type, ...(nullable && { nullable }) },
    ]),
  );
  return {
    decl: program("iter", name, context.size, { btfPointers: true }),
    parameters: { kind: "context", shape: { what: `iterator ${name}`, fields } },
  };
}

function syscall({ cx, file, args }: Declaration): Kind {
  const [descriptor] = args;
  const type = descriptor === undefined ? undefined : typeOfDescriptor(cx, file, descriptor);
  if (type !== undefined && type.kind !== "struct")
    return cx.report.fail(
      "EB2022",
      cx.span(file, descriptor as Expression),
      "What is handed to a `syscall` program is a struct.",
    );
  const fields = new Map<string, ContextField>(
    type?.fields.map(({ name, offset, type: of }) => [name, { offset, type: of, writable: true }]) ?? [],
  );
  const size = type === undefined ? 0 : sizeOf(type);
  return {
    decl: program("syscall", "", size, { sleepable: true }),
    parameters: { kind: "context", shape: { what: "the program's context", fields } },
  };
}

/** What an XDP program may answer: XDP_ABORTED to XDP_REDIRECT. */
const XDP_VERDICTS = 5;
/** struct xdp_md. */
const XDP_CONTEXT = 24;

function xdp(): Kind {
  return { decl: program("xdp", "", XDP_CONTEXT), parameters: { kind: "packet" }, result: U32, verdicts: XDP_VERDICTS };
}
