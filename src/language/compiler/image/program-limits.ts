import { Callee, type HelperName, helperName, helperSince, Opcode } from "../../../object/asm/index.ts";
import type { ProgramTypeName } from "../../../object/spec/index.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../span.ts";
import type { Func } from "../ssa/ir.ts";
import type { Target } from "../target.ts";
import { isNewer } from "../version.ts";
import { type EmittedFunction, isReference } from "./build-image.ts";

/** Functions that are at work at once, the program among them (MAX_CALL_FRAMES). */
const MOST_FRAMES = 8;
/** Bytes of stack that they have together (MAX_BPF_STACK); each takes a multiple of 32 of them. */
const MOST_STACK = 512;
const STACK_UNIT = 32;
/** Maps that one program names (MAX_USED_MAPS). */
const MOST_MAPS = 64;

/** The oldest kernel that programs are compiled for: what it has is not asked for. */
const OLDEST = "5.10";

/** A function with what it takes of the stack. */
export interface SizedFunction extends EmittedFunction {
  readonly stackSize: number;
}

/**
 * What a program and all that it calls together take more of than the kernel gives: depth of calls, stack, maps; and helpers that the
 * kernel has not, or not for such programs.
 */
export function limitProblems(
  functions: readonly SizedFunction[],
  typeOf: (program: string) => ProgramTypeName,
  { hasHelper, release }: Pick<Target, "hasHelper" | "release">,
): Diagnostic[] {
  const all = new Map(functions.map((each) => [each.func.name, nodeOf(each)]));
  const problems: Diagnostic[] = [];
  for (const { func } of functions) {
    if (func.kind !== "program") continue;
    const reached = reach(func.name, all);
    const deepest = longest(func.name, all, () => 1, new Map());
    const widest = longest(func.name, all, ({ stackSize }) => stackOf(stackSize), new Map());
    if (deepest.size > MOST_FRAMES) problems.push(tooDeep(deepest.path));
    else if (widest.size > MOST_STACK) problems.push(tooWide(widest));
    const maps = new Set(reached.flatMap((node) => node.maps));
    if (maps.size > MOST_MAPS) problems.push(tooMany(func, [...maps]));
    const type = typeOf(func.name);
    const helpers = new Map(reached.flatMap((node) => [...node.helpers]));
    for (const [helper, span] of helpers) {
      const since = helperSince(helper);
      if (since === undefined || !isNewer(since, OLDEST) || hasHelper(helper, type)) continue;
      problems.push(isNewer(since, release) ? tooNew(helper, since, release, span) : notFor(helper, type, func, span));
    }
  }
  return problems;
}

interface Node extends SizedFunction {
  readonly callees: readonly string[];
  readonly maps: readonly string[];
  /** Helpers of the kernel that it calls, each with the place where it does so first. */
  readonly helpers: ReadonlyMap<HelperName, Span>;
}

function nodeOf(each: SizedFunction): Node {
  const callees = new Set<string>();
  const maps = new Set<string>();
  const helpers = new Map<HelperName, Span>();
  for (const [i, instruction] of each.instructions.entries()) {
    const { opcode, src, imm, target, map } = instruction;
    const helper = opcode === Opcode.CALL && src === Callee.HELPER ? helperName(Number(imm)) : undefined;
    if (helper !== undefined && !helpers.has(helper)) helpers.set(helper, each.spans[i] ?? each.func.span);
    if (target !== undefined && isReference(instruction)) callees.add(target);
    if (map !== undefined) maps.add(map);
  }
  return { ...each, callees: [...callees], maps: [...maps], helpers };
}

function stackOf(size: number): number {
  return Math.ceil(Math.max(size, 1) / STACK_UNIT) * STACK_UNIT;
}

function reach(name: string, all: ReadonlyMap<string, Node>): Node[] {
  const names = new Set([name]);
  for (const each of names) for (const callee of all.get(each)?.callees ?? []) names.add(callee);
  return [...names].flatMap((each) => all.get(each) ?? []);
}

interface Way {
  readonly size: number;
  readonly path: readonly Node[];
}

/** The way down through calls on which sizes add up to most. Functions do not call themselves. */
function longest(
  name: string,
  all: ReadonlyMap<string, Node>,
  sizeOf: (node: Node) => number,
  known: Map<string, Way>,
): Way {
  const before = known.get(name);
  if (before !== undefined) return before;
  const node = all.get(name);
  if (node === undefined) return { size: 0, path: [] };
  const ways = node.callees.map((callee) => longest(callee, all, sizeOf, known));
  const below = ways.reduce((best, way) => (way.size > best.size ? way : best), { size: 0, path: [] } as Way);
  const way = { size: sizeOf(node) + below.size, path: [node, ...below.path] };
  known.set(name, way);
  return way;
}

function tooDeep(path: readonly Node[]): Diagnostic {
  const [{ func }] = path as [Node];
  return {
    code: "EB5004",
    severity: "error",
    span: func.span,
    message: `\`${func.name}\` calls functions that call others, ${path.length} deep: ${names(path)}. The kernel has room for ${MOST_FRAMES}.`,
    why: "Each function that is at work has a piece of a stack that the kernel keeps small, and bodies of long loops are functions as well.",
    help: "Write the innermost functions into those that call them. One that is called in one place only is put there by the compiler.",
    related: path.slice(1).map((each) => ({ span: each.func.span, message: `\`${each.func.name}\`` })),
  };
}

function tooWide({ size, path }: Way): Diagnostic {
  const [{ func }] = path as [Node];
  const slots = path
    .flatMap((each) => each.func.slots)
    .filter((slot) => slot.size > 8)
    .sort((a, b) => b.size - a.size)
    .slice(0, 5);
  return {
    code: "EB3110",
    severity: "error",
    span: slots[0]?.span ?? func.span,
    message: `\`${func.name}\` and what it calls keep ${size} bytes on the stack at once (${names(path, true)}), and the kernel gives them ${MOST_STACK}.`,
    why: "A program and the functions that are at work at the same time share a small stack; each takes a multiple of 32 bytes of it.",
    help: "Build events where they go, with `emit({ … })` or `reserve()`; keep large values in a map; use shorter texts.",
    related: slots.map((slot) => ({ span: slot.span, message: `\`${slot.name}\` takes ${slot.size} bytes` })),
  };
}

function names(path: readonly Node[], withSizes = false): string {
  return path
    .map(({ func, stackSize }) => `\`${func.name}\`${withSizes ? ` ${stackOf(stackSize)}` : ""}`)
    .join(withSizes ? ", " : " → ");
}

function tooMany({ name, span }: Func, maps: readonly string[]): Diagnostic {
  const own = maps.filter((map) => map.startsWith("."));
  const besides =
    own.length === 0
      ? ""
      : ` (${own.map((map) => `\`${map}\``).join(", ")} among them, for variables and what was lost)`;
  return {
    code: "EB5005",
    severity: "error",
    span,
    message: `\`${name}\` and what it calls use ${maps.length} maps${besides}, and the kernel gives one program ${MOST_MAPS}.`,
    help: "Keep several values in one map, as a struct or under a key that tells them apart; or split the program in two.",
  };
}

function tooNew(helper: HelperName, since: string, release: string, span: Span): Diagnostic {
  return {
    code: "EB4201",
    severity: "error",
    span,
    message: `This calls \`bpf_${helper}\`, which Linux ${since} is the first to have; this is compiled for ${release}.`,
    why: "Helpers are functions of the kernel for eBPF programs; a kernel that lacks one refuses the program.",
    help: `Do without it, or run it on Linux ${since} or newer.`,
  };
}

function notFor(helper: HelperName, type: ProgramTypeName, { name }: Func, span: Span): Diagnostic {
  return {
    code: "EB4203",
    severity: "error",
    span,
    message: `This calls \`bpf_${helper}\`, which programs of type ${type} may not; \`${name}\` is one.`,
    why: "The kernel has a list of helpers for each type of program.",
    help: "Do it in a program of another kind: those at tracepoints, probes and functions may call most.",
  };
}
