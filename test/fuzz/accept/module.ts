import { Random } from "../../support/random.ts";
import { declare, imports } from "./declarations.ts";
import { type Func, Gen, type Profile, type Variable } from "./gen.ts";
import { blockOf, declaration, result } from "./statements.ts";
import { annotation, BOOL, descriptor, I64, INTS, type Struct, type Type, U32, U64 } from "./types.ts";
import { condition } from "./values.ts";

/** A module of kernel TypeScript that is well-typed by the way it was made. */
export interface Generated {
  readonly text: string;
  readonly kind: Profile["kind"];
  readonly programs: readonly { readonly name: string; readonly loops: boolean }[];
  /** Of `syscall` programs: the struct that is handed over. */
  readonly context: Struct;
}

/** Writes a module with so many programs. The same seed gives the same module. Constructs are counted in `counts`. */
export function generate(seed: number, programs: number, profile: Profile, counts: Map<string, number>): Generated {
  const random = new Random(seed);
  // Programs that can go on in others are not of the kind that may sleep.
  const kind = random.chance(15) ? "rawTracepoint" : profile.kind;
  const g = new Gen(random, { ...profile, kind }, counts);
  const lines = [imports(), ...declare(g)];
  const context = contextOf(g);
  lines.push(
    `const ${context.name} = struct({ ${context.fields.map((f) => `${f.name}: ${descriptor(f.type)}`).join(", ")} });`,
  );
  const names = Array.from({ length: programs }, (_, i) => `program${i}`);
  const steps = kind === "rawTracepoint" && programs > 1 ? g.name("t") : undefined;
  if (steps !== undefined) {
    g.use("progArray");
    lines.push(`const ${steps} = progArray([${names.map((name) => `"${name}"`).join(", ")}]);`);
  }
  for (let i = random.between(1, 3); i > 0; i--) lines.push(...functionOf(g));
  const made: { readonly name: string; readonly loops: boolean }[] = [];
  for (const [i, name] of names.entries()) {
    // Only those that come later: nothing goes round.
    const later =
      steps !== undefined && i + 1 < programs ? { steps, names: names.slice(i + 1), from: i + 1 } : undefined;
    lines.push(...programOf(g, name, context, later));
    made.push({ name, loops: g.hasLoops });
  }
  return { text: `${lines.join("\n")}\n`, kind, programs: made, context };
}

function contextOf(g: Gen): Struct {
  const { random } = g;
  const types: Type[] = [U64, I64, U32, ...Array.from({ length: random.between(1, 4) }, () => random.pick(INTS))];
  if (random.chance(40)) types.push(BOOL);
  if (random.chance(40)) types.push({ kind: "str", size: 16 });
  if (random.chance(20)) types.push({ kind: "bytes", size: 4 });
  return { kind: "struct", name: g.name("C"), fields: types.map((type, i) => ({ name: `c${i}`, type })) };
}

/** Writes a body: all that is in scope is gone behind it. */
function body(g: Gen, budget: number, last: () => string | undefined, first: () => string[] = () => []): string[] {
  g.budget = budget;
  g.turns = 1;
  g.mostTurns = 1;
  g.hasLoops = false;
  return g.block(() => {
    const lines = blockOf(g, budget, first());
    const end = last();
    return end === undefined ? lines : [...lines, `  ${end}`];
  });
}

function functionOf(g: Gen): string[] {
  const { random } = g;
  const name = g.name("f");
  const ofNumbers: [number, () => Type][] = [
    [10, () => random.pick(INTS)],
    [2, () => BOOL],
  ];
  const others: [number, () => Type][] = [
    [1, () => ({ kind: "str", size: 16 })],
    [2, () => random.pick(g.structs)],
  ];
  const takesNumbers = g.profile.callsNumbersOnly && random.chance(80);
  const params = Array.from({ length: random.between(0, 4) }, () =>
    random.weighted<() => Type>(takesNumbers ? ofNumbers : [...ofNumbers, ...others])(),
  );
  const kind = random.below(5);
  const type: Func["result"] = kind === 0 ? undefined : kind === 1 ? BOOL : random.pick([U64, I64, ...INTS]);
  const declared: Variable[] = params.map((param) => ({
    text: g.name("a"),
    type: param,
    mutable: false,
    ...(param.kind === "struct" && { inPlace: true }),
  }));
  g.variables = [...declared];
  g.result = type;
  const inner = body(g, random.between(2, 8), () => (type === undefined ? undefined : `return${result(g)};`));
  g.variables = [];
  const given = declared.map(({ text, type: of }) => `${text}: ${annotation(of)}`).join(", ");
  g.use(`function with ${params.length} parameters`);
  for (const param of params) g.use(`parameter ${param.kind}`);
  g.use(type === undefined ? "function without a result" : `function that gives ${type.kind}`);
  g.functions.push({ name, params, result: type, turns: g.mostTurns, loops: g.hasLoops });
  return [`function ${name}(${given}): ${type === undefined ? "void" : annotation(type)} {`, ...inner, "}"];
}

/** Where numbers stand among the arguments of the raw tracepoint `kmalloc`. */
const RAW: readonly Variable[] = [
  { text: "ctx.args[0]", type: U64, mutable: false },
  { text: "ctx.args[2]", type: U64, mutable: false },
  { text: "ctx.args[3]", type: U64, mutable: false },
];

/** Programs that one may go on in. */
interface Later {
  readonly steps: string;
  readonly names: readonly string[];
  /** The number of the first. */
  readonly from: number;
}

/** Goes on in another program: nothing is held yet, nor looped. A number that no program has does nothing. */
function tailCall(g: Gen, { steps, names, from }: Later): string {
  const { random } = g;
  const isNamed = random.chance(60);
  g.use(`tailCall by ${isNamed ? "name" : "number"}`);
  const index = isNamed
    ? `"${random.pick(names)}"`
    : `${from} + (${random.pick(RAW).text} & ${random.pick([1, 3, 7])})`;
  return `if (${condition(g, 2)}) ${steps}.tailCall(${index});`;
}

function programOf(g: Gen, name: string, context: Struct, later: Later | undefined): string[] {
  const isSyscall = g.profile.kind === "syscall";
  g.context = isSyscall
    ? context.fields.map((field) => ({ text: `ctx.${field.name}`, type: field.type, mutable: false }))
    : [...RAW];
  g.result = I64;
  const lines = body(
    g,
    g.random.between(4, 16),
    () => `return${result(g)};`,
    () => (later !== undefined && g.random.chance(70) ? [declaration(g), tailCall(g, later)] : []),
  );
  g.context = [];
  g.use("program");
  const head = isSyscall ? `syscall(${context.name}, (ctx) => {` : 'rawTracepoint("kmalloc", (ctx) => {';
  return [`export const ${name} = ${head}`, ...lines, "});"];
}
