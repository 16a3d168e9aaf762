import { layoutOf, type ObjectSpec } from "../../sdk/index.ts";
import { parseValue } from "../inspect/parse-value.ts";
import { RunError } from "./run-error.ts";

const SECTION = ".rodata";

/** The parameters of a compiled module: what `--param name=value` may set. */
export function paramsOf(spec: ObjectSpec): string[] {
  return Object.entries(spec.variables ?? {}).flatMap(([name, { map }]) => (map === SECTION ? [name] : []));
}

/** The values that people wrote, `name=value` each, by the parameters' types. Throws RunError and InspectError. */
export function readParams(spec: ObjectSpec, given: readonly string[]): Record<string, unknown> {
  const names = paramsOf(spec);
  const values: Record<string, unknown> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1) throw new RunError(`A parameter is given as name=value, not "${text}".`);
    const name = text.slice(0, at);
    const variable = names.includes(name) ? spec.variables?.[name] : undefined;
    if (variable === undefined)
      throw new RunError(
        `There is no parameter "${name}"${names.length === 0 ? ": the module has none" : ` (there is ${names.join(", ")})`}. Declare it: export const ${/^\w+$/.test(name) ? name : "name"} = param(u32, 0);`,
      );
    if (variable.type === undefined || spec.btf === undefined)
      throw new Error(`parameter ${name} of the compiled module has no type`);
    values[name] = parseValue(text.slice(at + 1), layoutOf(spec.btf, variable.type), `parameter ${name}`);
  }
  return values;
}
