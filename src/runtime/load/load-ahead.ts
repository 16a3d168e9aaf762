import type { ProgramSpec } from "../../object/spec/index.ts";
import type { BpfMap } from "../map/index.ts";
import { BackgroundCalls, Fd } from "../sys/index.ts";
import { type LoadDetails, programCall } from "./load-program.ts";
import { Program } from "./program.ts";

/** A program as it is given to the kernel. */
export interface FittedProgram {
  readonly name: string;
  readonly spec: ProgramSpec;
  readonly details: LoadDetails;
}

/** For fewer programs a thread costs as much as it saves: a tenth of a millisecond. */
const WORTHWHILE = 8;

/**
 * Loads the later half of many programs on a thread beside, while those before are loaded here: the kernel verifies each by
 * itself. Closed by whoever started it, before anything that the programs need.
 */
export class LoadAhead {
  readonly #programs: ReadonlyMap<string, number>;
  readonly #calls: BackgroundCalls;
  #results: (number | undefined)[] | undefined;

  private constructor(programs: ReadonlyMap<string, number>, calls: BackgroundCalls) {
    this.#programs = programs;
    this.#calls = calls;
  }

  /** Undefined where it is not worth it, no thread can be had, or a program cannot be given to the kernel as it is. */
  static start(programs: readonly FittedProgram[], maps: Readonly<Record<string, BpfMap>>): LoadAhead | undefined {
    if (programs.length < WORTHWHILE) return undefined;
    const later = programs.slice(programs.length >> 1);
    let calls: BackgroundCalls | undefined;
    try {
      calls = BackgroundCalls.start(later.map(({ name, spec, details }) => programCall(name, spec, maps, details)));
    } catch {
      // Whose fault it is says loadProgram, when it is this program's turn.
      return undefined;
    }
    return calls === undefined ? undefined : new LoadAhead(new Map(later.map(({ name }, i) => [name, i])), calls);
  }

  /** The program, or undefined when it is to be loaded here: as well when the kernel refused it, which says why then. */
  take({ name, spec }: FittedProgram): Program | undefined {
    const i = this.#programs.get(name);
    if (i === undefined) return undefined;
    this.#results ??= [...this.#calls.join()];
    const result = this.#results[i] ?? -1;
    this.#results[i] = undefined;
    return result < 0 ? undefined : new Program(name, spec, new Fd(result, `program "${name}"`));
  }

  /** Waits for the thread, and closes what was not taken. */
  close(): void {
    for (const result of this.#results ?? this.#calls.join())
      if (result !== undefined && result >= 0) new Fd(result, "a program that was loaded ahead").close();
    this.#results = [];
  }
}
