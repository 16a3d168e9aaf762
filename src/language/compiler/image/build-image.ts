import { Callee, type Instruction, Opcode, Pseudo } from "../../../object/asm/index.ts";
import { Btf } from "../../../object/btf/index.ts";
import {
  type ExternSpec,
  type MapSpec,
  type ObjectSpec,
  ProgramFlag,
  type ProgramSpec,
  sectionMeaning,
} from "../../../object/spec/index.ts";
import type { SourceFile } from "../diagnostics/source-text.ts";
import type { FunctionDecl, Module, ProgramDecl } from "../hir.ts";
import type { LoweredModule } from "../lower/lower-module.ts";
import { NOWHERE, type Span } from "../span.ts";
import type { Func, ValueKind } from "../ssa/ir.ts";
import type { Target } from "../target.ts";
import { I64, type Type, U64 } from "../type.ts";
import { dataMaps } from "./data-maps.ts";
import { kernelName, mapSpec } from "./map-specs.ts";
import { ProgramTypes } from "./program-types.ts";
import { SourceLines } from "./source-lines.ts";

/** The instructions of one function, and which piece of the source each is for. */
export interface EmittedFunction {
  readonly func: Func;
  /** The first is labelled with the function's name. */
  readonly instructions: readonly Instruction[];
  /** One for each instruction. */
  readonly spans: readonly Span[];
}

/** What an image is made of. */
export interface ImageParts {
  readonly module: Module;
  readonly lowered: LoweredModule;
  readonly functions: readonly EmittedFunction[];
  /** The files, by the numbers that spans have. */
  readonly sources: readonly SourceFile[];
  readonly target: Pick<Target, "byteOrder">;
  /** Functions that the kernel looks at by themselves, once, and not at each call. */
  readonly alone?: ReadonlySet<string>;
}

/**
 * The object that a module compiles to: its programs with the functions they reach, its maps, variables and types, and the
 * source's lines on the instructions. `loadObject` takes it as it is.
 *
 * Variables are those of the source, and one `MAP.dropped` for each map or ring that can lose something: a u64 of what was
 * lost, in the map `.losses`.
 */
export function buildImage({ module, lowered, functions, sources, target, alone }: ImageParts): ObjectSpec {
  const types = new ProgramTypes(target.byteOrder);
  const lines = new SourceLines(sources);
  const declOf = new Map<string, FunctionDecl>();
  for (const [decl, name] of lowered.names) declOf.set(name, decl);
  const code = new Map<string, Compiled>();
  for (const each of functions) {
    const isAlone = alone?.has(each.func.name) ?? false;
    code.set(each.func.name, compiled(each, declOf.get(each.func.name), types, lines, isAlone));
  }
  const maps: Record<string, MapSpec> = {};
  for (const map of module.maps) maps[map.name] = mapSpec(map, types);
  const data = dataMaps(module, lowered.layout, types);
  const programs: Record<string, ProgramSpec> = {};
  for (const decl of module.functions) {
    if (decl.program === undefined) continue;
    const name = lowered.names.get(decl) as string;
    const instructions = linked(name, code);
    if (instructions !== undefined) programs[decl.name] = programSpec(name, decl.program, instructions, module.license);
  }
  const externs: Record<string, ExternSpec> = {};
  for (const { instructions } of code.values())
    for (const { extern } of instructions) if (extern !== undefined) externs[extern] = { kind: "kfunc", weak: false };
  return {
    maps: { ...maps, ...data.maps },
    programs,
    variables: data.variables,
    ...(Object.keys(externs).length > 0 && { externs }),
    btf: Btf.parse(types.build()),
    byteOrder: target.byteOrder,
  };
}

interface Compiled {
  readonly instructions: readonly Instruction[];
  /** Functions that it calls or takes the address of. */
  readonly callees: readonly string[];
}

/** The instructions with the function's type on the first, and a source line wherever it changes. */
function compiled(
  { func, instructions, spans }: EmittedFunction,
  decl: FunctionDecl | undefined,
  types: ProgramTypes,
  lines: SourceLines,
  isAlone: boolean,
): Compiled {
  const functionType = functionTypeOf(func, decl, types, isAlone);
  const callees = new Set<string>();
  let file = "";
  let line = -1;
  const annotated = instructions.map((instruction, i) => {
    if (instruction.target !== undefined && isReference(instruction)) callees.add(instruction.target);
    let source = lines.of(spans[i] ?? NOWHERE);
    // The kernel wants a line for the first instruction.
    if (i === 0) source ??= lines.of(func.span) ?? { file: "", line: 0, column: 0, text: "" };
    const isNew = source !== undefined && (source.line !== line || source.file !== file);
    if (source !== undefined) ({ file, line } = source);
    if (!isNew) return instruction;
    return { ...instruction, source: source as NonNullable<typeof source>, ...(i === 0 && { functionType }) };
  });
  return { instructions: annotated, callees: [...callees] };
}

/** Whether an instruction calls a function of the object, or takes its address. */
export function isReference({ opcode, src }: Instruction): boolean {
  return (opcode === Opcode.CALL && src === Callee.LOCAL) || (opcode === Opcode.LOAD_IMM64 && src === Pseudo.FUNC);
}

function functionTypeOf(func: Func, decl: FunctionDecl | undefined, types: ProgramTypes, isAlone: boolean): number {
  switch (func.kind) {
    case "program":
      return types.function(func.name, [{ name: "ctx", type: "pointer" }], "int", "global");
    case "function": {
      const result = decl === undefined || decl.result.kind === "void" ? "int" : decl.result;
      return types.function(func.name, parametersOf(func, decl), result, isAlone ? "global" : "static");
    }
    case "callback":
      return types.function(
        func.name,
        func.params.map((kind, i) => ({ name: `a${i}`, type: kind === "scalar" ? U64 : "pointer" })),
        I64,
        "static",
      );
  }
}

/** What the function takes, one entry for each register: optionals of numbers take two. */
function parametersOf(func: Func, decl: FunctionDecl | undefined): { name: string; type: Type | "pointer" }[] {
  const named = decl?.params.length === func.params.length ? decl.params : undefined;
  return func.params.map((kind: ValueKind, i) => {
    const param = named?.[i];
    if (param !== undefined) return { name: param.name, type: param.type };
    return { name: `a${i}`, type: kind === "scalar" || kind === "plain" ? U64 : "pointer" };
  });
}

/** A program's instructions, then those of all functions that it reaches; undefined when one of them was not made. */
function linked(name: string, code: ReadonlyMap<string, Compiled>): Instruction[] | undefined {
  const reached = new Set([name]);
  const instructions: Instruction[] = [];
  for (const each of reached) {
    const found = code.get(each);
    if (found === undefined) return undefined;
    for (const callee of found.callees) reached.add(callee);
    instructions.push(...found.instructions);
  }
  return instructions;
}

function programSpec(
  name: string,
  decl: ProgramDecl,
  instructions: readonly Instruction[],
  license: string,
): ProgramSpec {
  const section = decl.attachTo === "" ? decl.section : `${decl.section}/${decl.attachTo}`;
  const { kind } = sectionMeaning(section);
  const flags = (kind.flags ?? 0) | (decl.sleepable ? ProgramFlag.sleepable : 0);
  return {
    type: kind.type,
    name: kernelName(name),
    instructions,
    license,
    section,
    ...(decl.attachTo !== "" && { attachTo: decl.attachTo }),
    ...(kind.attachType !== undefined && { expectedAttachType: kind.attachType }),
    ...(flags !== 0 && { flags }),
  };
}
