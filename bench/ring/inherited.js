// Maps and programs that a column was handed as open descriptors.
import { BpfMap, Fd, Program } from "skep";

export const inherited = {
  /** @param {number} fd @param {number} size */
  ring: (fd, size) =>
    new BpfMap(new Fd(fd, "the ring"), {
      type: "ringbuf",
      name: "events",
      keySize: 0,
      valueSize: 0,
      maxEntries: size,
      flags: 0,
    }),
  /** @param {number} fd */
  program: (fd) =>
    new Program("fill", { type: "socket_filter", instructions: [], license: "" }, new Fd(fd, "the program")),
};
