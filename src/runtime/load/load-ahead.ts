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
/** What of the programs is only loaded here: the thread, which first has to begin, gets no further. */
const HERE = 0.4;

/**
 * Loads programs on a thread beside, from the last on, while the caller loads them from the first on: the kernel verifies
 * each by itself. Where they meet, or before anything that the programs need is closed, the caller closes it.
 */
export class LoadAhead {
  /** In the thread's order: the last of the object first. */
  readonly #names: readonly string[];
  readonly #calls: BackgroundCalls;
  /** What was loaded and is not taken yet, once the thread is done. */
  #loaded: Map<string, Fd> | undefined;

  private constructor(names: readonly string[], calls: BackgroundCalls) {
    this.#names = names;
    this.#calls = calls;
  }

  /** Undefined where it is not worth it, no thread can be had, or a program cannot be given to the kernel as it is. */
  static start(programs: readonly FittedProgram[], maps: Readonly<Record<string, BpfMap>>): LoadAhead | undefined {
    if (programs.length < WORTHWHILE) return undefined;
    const later = programs.slice(Math.round(programs.length * HERE)).reverse();
    try {
      const calls = BackgroundCalls.start(
        later.map(({ name, spec, details }) => programCall(name, spec, maps, details)),
      );
      return calls === undefined
        ? undefined
        : new LoadAhead(
            later.map(({ name }) => name),
            calls,
          );
    } catch {
      // Whose fault it is says loadProgram, when it is this program's turn.
      return undefined;
    }
  }

  /** The program, or undefined when it is to be loaded here: as well when the kernel refused it, which says why then. */
  take({ name, spec }: FittedProgram): Program | undefined {
    const i = this.#names.indexOf(name);
    // What the thread has not come to is quicker here than waited for: it may not even have begun.
    if (i < 0 || this.#calls.claim(i)) return undefined;
    this.#loaded ??= this.#byName(this.#calls.join());
    const fd = this.#loaded.get(name);
    this.#loaded.delete(name);
    return fd === undefined ? undefined : new Program(name, spec, fd);
  }

  /** Keeps the thread from what it has not begun, waits for what it has, and closes what was not taken. */
  close(): void {
    this.#loaded ??= this.#byName(this.#calls.cancel());
    for (const fd of this.#loaded.values()) fd.close();
    this.#loaded.clear();
  }

  #byName(results: readonly number[]): Map<string, Fd> {
    const loaded = new Map<string, Fd>();
    for (const [i, result] of results.entries()) {
      const name = this.#names[i] as string;
      if (result >= 0) loaded.set(name, new Fd(result, `program "${name}"`));
    }
    return loaded;
  }
}
