import { check } from "../check/check.ts";
import type { AbsentMember } from "../check/exists.ts";
import { isKernelFile } from "../check/own-file.ts";
import type { Target } from "../target.ts";
import { parseTracepointFormat, tracepointName } from "../tracepoint-format.ts";
import { KernelDeclarations } from "./kernel-declarations.ts";
import { type NamedPlace, type Names, namedIn } from "./named.ts";

/** What is named and not there. */
export interface MissingName {
  /** `tracepoint`, `function` … */
  readonly what: string;
  readonly name: string;
  readonly place: NamedPlace;
}

/** Declarations for a project's kernel code. */
export interface Declarations {
  /** The text of a `.d.ts` file. */
  readonly text: string;
  /** Names that the kernel does not know; they are not declared. */
  readonly missing: readonly MissingName[];
}

/**
 * Declares what kernel code names of a kernel: tracepoints with their fields, functions, hooks, iterators, and structs with the
 * members that are read. With these TypeScript checks the same names and types as the compiler does. The same sources and kernel
 * give the same text.
 */
export function declareKernel(files: ReadonlyMap<string, string>, target: Target): Declarations {
  const named = namedIn(files);
  const types = new KernelDeclarations(target.btf, named.members, absentIn(files, target));
  const missing: MissingName[] = [];
  /** The members of an interface, by name; what gives undefined is missing. */
  const members = (what: string, names: Names, text: (name: string) => string | undefined): string[] =>
    [...names]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, place]) => {
        const found = text(name);
        if (found === undefined) missing.push({ what, name, place });
        return found === undefined ? [] : [`    ${found}\n`];
      });
  const method = (name: string, signature: string | undefined) =>
    signature === undefined ? undefined : `${name}${signature};`;
  const interfaces: readonly (readonly [name: string, members: readonly string[]])[] = [
    ["Tracepoints", members("tracepoint", named.tracepoints, (name) => tracepoint(name, target, types))],
    [
      "RawTracepoints",
      members("raw tracepoint", named.rawTracepoints, (name) => method(name, types.rawTracepoint(name))),
    ],
    ["KernelFunctions", members("function", named.functions, (name) => method(name, types.functionSignature(name)))],
    ["LsmHooks", members("LSM hook", named.hooks, (name) => method(name, types.functionSignature(`bpf_lsm_${name}`)))],
    [
      "Iterators",
      members("iterator", named.iterators, (name) => {
        const context = types.iterator(name);
        return context === undefined ? undefined : `${name}: ${context};`;
      }),
    ],
    [
      "KernelTypes",
      members("struct", named.structs, (name) => {
        const reference = types.struct(name);
        return reference === undefined ? undefined : `${name}: ${reference};`;
      }),
    ],
  ];
  const structs = types.interfaces();
  const words = [...types.words].sort();
  const parts = [
    `// What this project's kernel code names of the kernel (${target.release}), for TypeScript: written by \`skep types\`, which\n// writes it anew when the code names more.\n`,
    words.length > 0 ? `import type { ${words.join(", ")} } from "skep/kernel";\n` : "export {};\n",
  ];
  if (structs.length > 0) parts.push(`\ndeclare module "btf:vmlinux" {\n${structs.join("")}}\n`);
  const filled = interfaces.filter(([, list]) => list.length > 0);
  if (filled.length > 0)
    parts.push(
      `\ndeclare module "skep/kernel" {\n${filled.map(([name, list]) => `  interface ${name} {\n${list.join("")}  }\n`).join("")}}\n`,
    );
  return { text: parts.join(""), missing };
}

function tracepoint(name: string, target: Target, types: KernelDeclarations): string | undefined {
  const parts = tracepointName(name);
  const text = parts === undefined ? undefined : target.tracepointFormat(parts.category, parts.event);
  if (text === undefined) return undefined;
  const fields = parseTracepointFormat(text, (type) => types.integer(type)).fields.flatMap((field) => {
    const type = types.field(field);
    return type === undefined ? [] : [`${field.name}: ${type};`];
  });
  return `${JSON.stringify(name)}: { ${[...fields, ...types.absentFields(name)].join(" ")} };`;
}

/**
 * What is not there of what `exists` is asked of in the sources, and of what they name where it decides: which struct is meant only the
 * checker knows.
 */
function absentIn(files: ReadonlyMap<string, string>, target: Target): AbsentMember[] {
  const asking = [...files].filter(([, text]) => text.includes("exists"));
  return asking.flatMap(([entry]) => {
    const sources = { entry, files, ...(!isKernelFile(entry) && { own: {} }) };
    return check(sources, target, { looksAside: true }).absent;
  });
}
