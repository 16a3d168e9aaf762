import type { MapInfo } from "../map/index.ts";
import type { ChunkLayout } from "./column-layout.ts";
import type { EventBooks } from "./event-source.ts";
import type { Latency } from "./wakeup.ts";

/** What the worker is told at its start. Chunks are filled in turn; each is free, or the reader's. */
export interface ColumnTask {
  /** The map's descriptor, which is the reader's and stays open while the worker runs. */
  readonly fd: number;
  readonly info: MapInfo;
  readonly layout: ChunkLayout;
  readonly chunks: number;
  /** The chunks one after the other. */
  readonly buffer: SharedArrayBuffer;
  /** A word for each chunk, 1 while it is the reader's; behind them a word that is 1 while the worker waits for one. */
  readonly states: SharedArrayBuffer;
  readonly latency: Latency;
  readonly bytesPerCpu: number | undefined;
}

/** What the reader says. */
export type ToWorker =
  | { readonly kind: "freed" }
  | { readonly kind: "books"; readonly id: number }
  | { readonly kind: "close" };

/** What the worker says. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "chunk"; readonly chunk: number; readonly count: number }
  | { readonly kind: "books"; readonly id: number; readonly books: EventBooks }
  /** `own`: the error's own properties (name, code), which a message leaves out of an error. */
  | { readonly kind: "failed"; readonly error: Error; readonly own: object }
  | { readonly kind: "closed"; readonly books: EventBooks };
