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
/** What of the programs is loaded here: a little more than half, as the thread first has to begin. */
const HERE = 0.55;

/**
 * Loads the later half of many programs on a thread beside, while those before are loaded here: the kernel verifies each by
 * itself. Closed by whoever started it, before anything that the programs need.
 */
export class LoadAhead {
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
    const later = programs.slice(Math.round(programs.length * HERE));
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
    // The thread may still be at work on the others.
    if (!this.#names.includes(name)) return undefined;
    const fd = this.#join().get(name);
    this.#join().delete(name);
    return fd === undefined ? undefined : new Program(name, spec, fd);
  }

  /** Waits for the thread, and closes what was not taken. */
  close(): void {
    for (const fd of this.#join().values()) fd.close();
    this.#join().clear();
  }

  #join(): Map<string, Fd> {
    if (this.#loaded !== undefined) return this.#loaded;
    this.#loaded = new Map();
    for (const [i, result] of this.#calls.join().entries()) {
      const name = this.#names[i] as string;
      if (result >= 0) this.#loaded.set(name, new Fd(result, `program "${name}"`));
    }
    return this.#loaded;
  }
}
