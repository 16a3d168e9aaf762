// npm run bench -- ring: from the kernel's ring buffer to the reader's callback, beside libbpf and cilium/ebpf.
import { fillAndDrain } from "./ring/fill.js";
import { loadStream } from "./ring/programs.js";
import { atARate } from "./ring/rate.js";

export const peers = ["debian12", "newest"];

const FILL_RING = 16 << 20;
const RATE_RING = 4 << 20;

/** @param {import("./harness/bench.js").Bench} bench */
export default async function ring(bench) {
  for (const [part, size] of [
    [fillAndDrain, FILL_RING],
    [atARate, RATE_RING],
  ]) {
    const object = loadStream("ring", size);
    try {
      await part(bench, object, size);
    } finally {
      object.close();
    }
  }
}
