import { setTimeout as wait } from "node:timers/promises";
import { EXIT_TEXT } from "../../language/compiler/sugar/index.ts";
import {
  type BpfMap,
  IteratorLink,
  type Link,
  type LoadedObject,
  loadObject,
  type Program,
  RingBufferReader,
} from "../../sdk/index.ts";
import {
  attachSchedule,
  loadOtherwise,
  lossCounter,
  lossesOf,
  printedLine,
} from "../../sdk/kernel-typescript/index.ts";
import type { Output } from "../trace/output.ts";
import { type HeldCommand, holdCommand } from "./held-command.ts";
import { readSkips } from "./losses.ts";
import { paramsOf, readParams } from "./params.ts";
import type { Plan } from "./plan.ts";
import { readResults } from "./results.ts";
import { RunError } from "./run-error.ts";
import type { RunView } from "./view/run-view.ts";
import { cellText } from "./view/text.ts";

/** How a compiled module is run. */
export interface SessionOptions {
  /** `name=value` each. */
  readonly params: readonly string[];
  /** Ends after so many seconds. */
  readonly seconds?: number;
  /** Ends with this command, which is started when all is attached. */
  readonly command?: readonly string[];
  /** Ends when it is aborted. */
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly view: RunView;
  /** What else is loaded where the kernel refuses the plan, and who is told which of them it took. */
  readonly otherwise: () => Iterable<Plan>;
  readonly taken: (plan: Plan) => void;
  /** Tells that all is attached; `goesOn`: that it does not end by itself. */
  readonly attached?: (programs: number, goesOn: boolean) => void;
}

/** The parameter that gets the process id of `-- COMMAND`, where the module has it. */
const COMMAND_PID = "cpid";

/**
 * Loads and attaches a compiled module, shows its events as they come until it is to end, then what its maps hold. Gives the exit
 * code: the command's, or 0. Throws what loading and attaching throw; then nothing stays.
 */
export async function runSession(plan: Plan, options: SessionOptions): Promise<number> {
  const { params, command, view, output } = options;
  const values = readParams(plan.spec, params);
  const held = command === undefined ? undefined : holdCommand(command);
  try {
    if (held !== undefined && paramsOf(plan.spec).includes(COMMAND_PID) && !Object.hasOwn(values, COMMAND_PID))
      values[COMMAND_PID] = held.pid;
    const load = ({ spec }: Plan) => loadObject(spec, { variables: values }) as LoadedObject;
    const { loaded, compiled: taken } = await loadOtherwise(plan, options.otherwise, load);
    using object = loaded;
    if (taken !== plan) options.taken(taken);
    using readers = new Readers(object, plan, options);
    // Meanwhile its shell has come to where it holds: what it did on its way is not the command's.
    await held?.stopped();
    const links = attach(object, plan);
    if (Object.keys(links).length === 0)
      throw new RunError(
        "Nothing of the module is attached to anything: it has no programs, or only such that somebody has to run (syscall).",
      );
    const iterators = Object.values(links).filter((link) => link instanceof IteratorLink);
    // What only iterators show is all shown when they are gone through.
    const isAll = iterators.length === Object.keys(links).length && options.seconds === undefined && held === undefined;
    options.attached?.(Object.keys(links).length, !isAll && options.seconds === undefined && held === undefined);
    for (const iterator of iterators) readIterator(iterator, options);
    held?.release();
    const code = !isAll ? await untilEnd(options, held, readers.ended) : 0;
    for (const link of Object.values(links)) link.close();
    readers.drain();
    output.write(view.end(readResults(object, plan), lossesOf(object), readSkips(object)));
    output.flush();
    return code;
  } finally {
    held?.abandon();
  }
}

function attach(object: LoadedObject, plan: Plan): Readonly<Record<string, { close(): void }>> {
  const programs: Record<string, false | ((program: Program) => Link)> = Object.fromEntries(
    [...plan.schedules].map(([name, schedule]) => [name, (program: Program) => attachSchedule(program, schedule)]),
  );
  // What others go on in does not begin by itself.
  for (const name of plan.continued) programs[name] = false;
  return object.attach({ programs });
}

/** Goes through all that an iterator shows, once; what it writes is shown as lines. */
function readIterator(iterator: IteratorLink, { output, view }: SessionOptions): void {
  const text = iterator.text();
  if (text === "") return;
  for (const line of text.replace(/\n$/, "").split("\n")) output.write(view.line(line));
}

/** Waits for what ends the run, and gives its exit code. */
async function untilEnd(
  { seconds, signal }: SessionOptions,
  held: HeldCommand | undefined,
  ended: Promise<void>,
): Promise<number> {
  const abort = new AbortController();
  const ways: Promise<number>[] = [
    ended.then(() => 0),
    new Promise((resolve) => {
      if (signal.aborted) resolve(0);
      signal.addEventListener("abort", () => resolve(0), { once: true });
    }),
  ];
  if (seconds !== undefined) ways.push(wait(seconds * 1000, 0, { signal: abort.signal }).catch(() => 0));
  // Without anything else to do Node would end: the run ends by what was asked for.
  const alive = setInterval(() => {}, 1 << 30);
  if (held !== undefined) ways.push(held.ended.then(({ code, signal: killed }) => code ?? 128 + (killed ?? 0)));
  try {
    return await Promise.race(ways);
  } finally {
    clearInterval(alive);
    abort.abort();
  }
}

/** The readers of the module's rings, which write what comes to the output. */
class Readers {
  readonly #object: LoadedObject;
  readonly #output: Output;
  #end: () => void = () => {};
  /** Fulfilled when a program says `exit()`. */
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });
  readonly #open: { readonly drain: () => void; readonly close: () => void }[] = [];

  constructor(object: LoadedObject, plan: Plan, { view, output }: SessionOptions) {
    this.#object = object;
    this.#output = output;
    try {
      for (const { name, event } of plan.rings) {
        const books = this.#books(name);
        const reader: RingBufferReader<unknown> =
          event === undefined
            ? RingBufferReader.with(this.#map(name), (record) => ({ record: record.copy() }), books)
            : RingBufferReader.of(this.#map(name), event, books);
        this.#read(reader, (value) => view.event(name, value));
      }
      if (plan.print === undefined) return;
      const { ring, formats } = plan.print;
      const line = printedLine(formats, cellText);
      this.#read(RingBufferReader.with(this.#map(ring), line, this.#books(ring)), (text) => {
        if (text !== EXIT_TEXT) return view.line(text);
        this.#end();
        return "";
      });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Takes what is still in the rings: nothing comes any more. */
  drain(): void {
    for (const { drain } of this.#open) drain();
  }

  [Symbol.dispose](): void {
    for (const { close } of this.#open) close();
  }

  #read<T>(reader: RingBufferReader<T>, shown: (event: T) => string): void {
    const write = (event: T) => this.#output.write(shown(event));
    this.#open.push({ drain: () => void reader.consume(write), close: () => reader.close() });
    reader.listen(write);
  }

  #books(name: string): { readonly dropped: (() => number) | undefined } {
    return { dropped: lossCounter(this.#object, name) };
  }

  #map(name: string): BpfMap {
    const map = (this.#object.maps as Readonly<Record<string, BpfMap>>)[name];
    if (map === undefined) throw new Error(`the compiled program has no map ${name}`);
    return map;
  }
}
