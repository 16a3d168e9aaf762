import type { ArgumentType } from "../model.ts";
import { BASIC, flagType } from "./basic.ts";
import { BUFFER } from "./buffer.ts";
import { FILE } from "./file.ts";
import { NETWORK } from "./network.ts";
import { PROCESS } from "./process.ts";
import { SIGNAL } from "./signal.ts";
import { TIME } from "./time.ts";

const known = new Map<string, ArgumentType>();

/**
 * The type a word of the signature table stands for: `fd`, `path`, `in.2` (its length is argument 2), or the name of a
 * set of constants such as `PROT`.
 */
export function argumentType(word: string): ArgumentType {
  let type = known.get(word);
  if (type === undefined) {
    const dot = word.indexOf(".");
    const head = dot < 0 ? word : word.slice(0, dot);
    const parameter = dot < 0 ? 0 : Number(word.slice(dot + 1));
    type =
      BASIC[head] ??
      FILE[head] ??
      TIME[head] ??
      SIGNAL[head] ??
      (BUFFER[head] ?? NETWORK[head] ?? PROCESS[head])?.(parameter) ??
      flagType(head);
    if (type === undefined)
      throw new TypeError(`The signature table names an argument type "${word}" that there is not.`);
    known.set(word, type);
  }
  return type;
}
