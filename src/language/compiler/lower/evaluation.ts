import type { Local, MapDecl } from "../hir.ts";
import type { EvaluatedState, EvaluationWorld, Memory } from "./evaluate-state.ts";

/** What an expression gives: a number, memory (aggregates, references, cells), or nothing. */
export type Value = bigint | Memory | undefined;

/** One run: what programs share, what the world is, and what this run holds. */
export class Evaluation {
  readonly state: EvaluatedState;
  readonly world: EvaluationWorld;
  /** What locals hold: aggregates own their memory. Functions do not call themselves, so that one of each is enough. */
  readonly locals = new Map<Local, Value>();
  /** Records that were reserved and neither submitted nor discarded. */
  readonly open = new Map<Uint8Array, MapDecl>();

  constructor(state: EvaluatedState, world: EvaluationWorld) {
    this.state = state;
    this.world = world;
  }
}

/** What a run is left by when it goes on in another program. */
export class TailCall {
  readonly program: string;

  constructor(program: string) {
    this.program = program;
  }
}
