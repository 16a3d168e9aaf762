// Maps and programs that a column was handed as open descriptors.
import { cpus } from "node:os";
import { BpfMap, Fd, PerfBufferReader, Program, RingBufferReader } from "skep";

/** How each kind of stream is read: its reader, and the options by the size of its buffer. */
const KINDS = {
  ring: { type: "ringbuf", Reader: RingBufferReader, entries: (size) => size, options: () => ({}) },
  perf: {
    type: "perf_event_array",
    Reader: PerfBufferReader,
    entries: () => cpus().length,
    options: (size) => ({ bytesPerCpu: size }),
  },
};

export const inherited = {
  /** Several rings, from fd 3 on, each with a reader. @param {number} count @param {number} size @param {object} layout */
  rings(count, size, layout, options) {
    return Array.from({ length: count }, (_, i) =>
      RingBufferReader.of(this.stream("ring", 3 + i, size).map, layout, options),
    );
  },
  /**
   * The map of a stream, the class that reads it and the options that it takes.
   * @param {"ring" | "perf"} kind @param {number} fd @param {number} size bytes of the ring, or of a CPU's buffer
   */
  stream(kind, fd, size) {
    const { type, Reader, entries, options } = KINDS[kind];
    const info = { type, name: "events", keySize: 4, valueSize: 4, maxEntries: entries(size), flags: 0 };
    return { Reader, options: options(size), map: new BpfMap(new Fd(fd, "the stream"), info) };
  },
  /** @param {number} fd */
  program: (fd) =>
    new Program("fill", { type: "socket_filter", instructions: [], license: "" }, new Fd(fd, "the program")),
};
