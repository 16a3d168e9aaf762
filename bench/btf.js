// npm run bench -- btf: one field of a kernel struct, from the start of the process, beside libbpf and cilium/ebpf.
import { fileURLToPath } from "node:url";
import { peerColumn } from "./harness/peer-column.js";
import { runProgram } from "./harness/program.js";
import { median } from "./harness/stats.js";

export const peers = ["debian12", "newest"];

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
/** Starts per run: the run's number is their median. */
const STARTS = 7;

/** @param {import("./harness/bench.js").Bench} bench */
export default async function btf(bench) {
  const bare = () => timed(process.execPath, [path("btf/bare.js")]);
  /** What `start` takes, each time right after a bare Node: both stand at the same moment of a noisy machine. */
  const beside = async (start) => {
    const ms = [];
    const added = [];
    const mib = [];
    for (let i = 0; i < STARTS; i++) {
      const floor = await bare();
      const one = await start();
      ms.push(one.ms);
      added.push(one.ms - floor.ms);
      mib.push((one.kib - floor.kib) / 1024);
    }
    return { ms: median(ms), added: median(added), mib: median(mib) };
  };
  const column = (id, title, start) => ({ id, title, run: () => beside(start) });
  const peer = (id, suite, language) =>
    peerColumn(bench, { id, suite, language, program: "btf" }, (command, args, env) =>
      beside(() => timed(command, args, env)),
    );
  await bench.part("field", () =>
    bench.measure({
      name: "the offset of task_struct.pid, from the start of the process to its end",
      note: `each run: the median of ${STARTS} starts, each right after one of a Node that does nothing; peers start in a chroot`,
      metrics: {
        ms: { title: "ms" },
        added: { title: "ms more than bare Node" },
        mib: { title: "MiB more than bare Node" },
      },
      columns: [
        column("node", "Node, nothing", bare),
        column("skep", "Skep (skep/btf)", () => timed(process.execPath, [path("btf/field.js")])),
        peer("c", "debian12", "c"),
        peer("c-new", "newest", "c"),
        peer("go-new", "newest", "go"),
      ],
      goals: [
        { metric: "added", column: "skep", atMost: 10 },
        { metric: "mib", column: "skep", atMost: 10 },
      ],
    }),
  );
}

async function timed(command, args, env) {
  const begin = performance.now();
  const { kib } = await runProgram(command, args, env === undefined ? {} : { env });
  return { ms: performance.now() - begin, kib };
}
