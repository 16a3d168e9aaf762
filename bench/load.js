// npm run bench -- load: an object of forty programs, from its bytes to loaded, beside libbpf and cilium/ebpf.
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { peerColumn } from "./harness/peer-column.js";
import { runProgram } from "./harness/program.js";
import { median } from "./harness/stats.js";

export const peers = ["debian12", "newest"];

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
/** What a second holds of cilium/ebpf's, as long as Go's own testing.B loads one. */
const SLICES = 240;
/** Engines that compile while they run are still at it. */
const EARLY = 40;
const PROGRAMS = 40;

/** @param {import("./harness/bench.js").Bench} bench */
export default async function load(bench) {
  const runOn = (object) => async (command, args, env) => {
    const fd = openSync(path(`load/${object}.bpf.o`), "r");
    try {
      const result = await runProgram(command, args, { fds: [fd], ...(env !== undefined && { env }) });
      if (result.programs !== PROGRAMS) throw new Error(`${result.programs} programs were loaded, not ${PROGRAMS}`);
      const { times } = result;
      return { first: times[0], early: median(times.slice(1, EARLY)), ms: median(times.slice(1)) };
    } finally {
      closeSync(fd);
    }
  };
  const part = (object, what, goals) => {
    const run = runOn(object);
    const peer = (id, suite, language) =>
      peerColumn(bench, { id, suite, language, program: "load", args: [`${SLICES}`] }, run);
    return bench.part(object, () =>
      bench.measure({
        name: `${what}, from its bytes to loaded`,
        note: `each run: a process that loads it ${SLICES} times; its first load, the median of those up to ${EARLY}, and of all but the first`,
        metrics: {
          ms: { title: "ms, again" },
          first: { title: "ms, first" },
          early: { title: `ms, 2 to ${EARLY}` },
        },
        base: "go-new",
        columns: [
          { id: "skep", title: "Skep", run: () => run(process.execPath, [path("load/load.js"), `${SLICES}`]) },
          peer("c", "debian12", "c"),
          peer("c-new", "newest", "c"),
          peer("go", "debian12", "go"),
          peer("go-new", "newest", "go"),
        ],
        goals,
      }),
    );
  };
  const goals = (of) => [
    { metric: "ms", column: "skep", of, atMost: 1 },
    { metric: "first", column: "skep", of, atMost: 1 },
  ];
  await part("forty", "an object of 40 programs with CO-RE", goals("go-new"));
  // cilium/ebpf 0.9.1 cannot read the types of a kernel since 6.0, and so nothing with CO-RE.
  await part("forty-no-fields", "an object of 40 programs without CO-RE", [...goals("go"), ...goals("go-new")]);
}
