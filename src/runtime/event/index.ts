/** Event streams from the kernel, with exact books of what was lost. */
export type { BackPressure, BatchOptions, ListenOptions, Shedding } from "./back-pressure.ts";
export type { Columns } from "./column-layout.ts";
export { type ColumnBatch, type ColumnOptions, ColumnReader } from "./column-reader.ts";
export { EventGroup, type GroupOptions } from "./event-group.ts";
export { EventReader } from "./event-reader.ts";
export type { EventBooks } from "./event-source.ts";
export { Lease } from "./lease.ts";
export { type PerfBooks, type PerfBufferOptions, PerfBufferReader } from "./perf-buffer-reader.ts";
export { PerfBufferError } from "./perf-source.ts";
export { ProgramStream, type ProgramStreamOptions } from "./program-stream.ts";
export { RecordView } from "./record-view.ts";
export { type RingBooks, type RingBufferOptions, RingBufferReader } from "./ring-buffer-reader.ts";
export type { TraceLine } from "./trace-parser.ts";
export { type TraceBooks, TracePipe, type TracePipeOptions } from "./trace-pipe.ts";
export { TracePipeError } from "./trace-source.ts";
export { type UserRingBooks, UserRingBuffer } from "./user-ring-buffer.ts";
export type { Latency } from "./wakeup.ts";
