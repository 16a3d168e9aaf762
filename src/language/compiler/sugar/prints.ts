import type { CallExpression, Expression, Node } from "@oxc-project/types";
import { partNames } from "./keys.ts";
import { call, callMethod, identifier, number, object, type Range } from "./nodes.ts";

/** How the lines of a `print(…)` are made of the events of a ring that stands for it. */
export interface PrintFormat {
  /** The ring's name. */
  readonly ring: string;
  /** The fixed texts, one more than there are fields. */
  readonly texts: readonly string[];
  /** The fields whose values stand between the texts. */
  readonly fields: readonly string[];
  /** It is an `exit()`: nothing is printed, the run ends. */
  readonly exit?: true;
}

/** The field that says when a line was printed, by which the lines of several rings come into order. */
export const PRINT_TIME = "at";
const RING_BYTES = 1 << 18;

/** What a module prints, and its `print(…)` as calls of rings. */
export class Prints {
  readonly formats: PrintFormat[] = [];
  readonly #places: Range[] = [];
  readonly #taken: ReadonlySet<string>;
  readonly #time: string;

  /** `taken`: names that the module has; `time`: the name of `ktime` in it. */
  constructor(taken: ReadonlySet<string>, time: string) {
    this.#taken = taken;
    this.#time = time;
  }

  /** `print(…)` or `exit()` as an event that is sent; undefined for calls that print nothing. */
  use(
    node: CallExpression & Range,
    word: "print" | "exit",
    inner: (expression: Expression) => Expression,
  ): CallExpression {
    const { texts, values } = word === "print" ? piecesOf(node.arguments) : { texts: [""], values: [] };
    const fields = partNames(values).map((name) => (name === PRINT_TIME ? `${name}_` : name));
    const name = this.#name(word);
    this.formats.push({ ring: name, texts, fields, ...(word === "exit" && { exit: true }) });
    this.#places.push({ start: node.start, end: node.end });
    const time = [PRINT_TIME, call(identifier(this.#time, node), [], node)] as const;
    const event = object([time, ...values.map((value, i) => [fields[i] as string, inner(value)] as const)], node);
    return callMethod(identifier(name, node), "emit", [event], node);
  }

  /** What declares the rings. */
  declarations(local: (word: string) => string): { name: string; init: Expression; range: Range }[] {
    return this.formats.map(({ ring }, i) => {
      const range = this.#places[i] as Range;
      const options = object([["bytes", number(RING_BYTES, range)]], range);
      const init = call(identifier(local("ringbuf"), range), [identifier(local("infer"), range), options], range);
      return { name: ring, init, range };
    });
  }

  #name(word: string): string {
    let number = this.formats.length;
    while (this.#taken.has(`${word}${number}`)) number++;
    return `${word}${number}`;
  }
}

/** The fixed texts and the values of what is printed; several arguments stand with a blank between them. */
function piecesOf(args: CallExpression["arguments"]): { texts: string[]; values: Expression[] } {
  const texts = [""];
  const values: Expression[] = [];
  const add = (text: string) => {
    texts[texts.length - 1] += text;
  };
  for (const [i, argument] of args.entries()) {
    if (i > 0) add(" ");
    if (argument.type === "TemplateLiteral") {
      for (const [j, { value }] of argument.quasis.entries()) {
        add(value.cooked ?? value.raw);
        const expression = argument.expressions[j];
        if (expression === undefined) continue;
        values.push(expression);
        texts.push("");
      }
    } else if (isText(argument)) add(argument.value);
    else if (argument.type !== "SpreadElement") {
      values.push(argument);
      texts.push("");
    }
  }
  return { texts, values };
}

function isText(node: Node): node is Node & { readonly value: string } {
  return node.type === "Literal" && typeof node.value === "string";
}
