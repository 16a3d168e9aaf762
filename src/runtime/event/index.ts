/** Event streams from the kernel, with exact books of what was lost. */
export { RecordView } from "./record-view.ts";
export { type RingBooks, type RingBufferOptions, RingBufferReader } from "./ring-buffer-reader.ts";
export { type UserRingBooks, UserRingBuffer } from "./user-ring-buffer.ts";
export type { Latency } from "./wakeup.ts";
