// Fill and drain: what reading one record costs when nothing else happens.
import { fileURLToPath } from "node:url";
import { peerColumn } from "../harness/peer-column.js";
import { runProgram } from "../harness/program.js";

const RECORDS = 8192;
const CYCLES = 60;
const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/**
 * The columns of fill and drain for one kind of stream, `ring` or `perf`, of `size` bytes.
 * @param {import("../harness/bench.js").Bench} bench
 */
export function fillColumns(bench, kind, object, size) {
  const numbers = [`${RECORDS}`, `${CYCLES}`];
  const fds = (program) => [object.maps.events.fd.number, object.programs[program].fd.number];
  const skep = (id, title, work, program = "repeating") => ({
    id,
    title,
    run: () =>
      runProgram(process.execPath, [path("consume.js"), kind, work, ...numbers, `${size}`], { fds: fds(program) }),
  });
  const peer = (id, suite, language, work, program = "repeating") => {
    const what = language === "c" ? { program: kind, args: [work] } : { program: "ring", args: [kind, work] };
    const args = [...what.args, ...numbers];
    const column = peerColumn(bench, { id, suite, language, program: what.program, args }, (command, all, env) =>
      runProgram(command, all, { fds: fds(program), env }),
    );
    return { ...column, title: `${column.title}, ${work}` };
  };
  return { skep, peer };
}

export const FILL_METRICS = { ns: { title: "ns/record" }, min: { title: "best", of: "min" } };

/** What is done in a measure of fill and drain. */
export const fillNote = (what) => `${RECORDS} records in the buffer are drained, ${what}; median of ${CYCLES} drains`;

/** @param {import("../harness/bench.js").Bench} bench */
export async function fillAndDrain(bench, object, size) {
  const { skep, peer } = fillColumns(bench, "ring", object, size);
  const metrics = FILL_METRICS;

  await bench.part("raw", () =>
    bench.measure({
      name: "raw records of 104 bytes",
      note: fillNote("one field of each read"),
      metrics,
      base: "c",
      columns: [
        skep("skep", "Skep, lease", "touch"),
        skep("copy", "Skep, bytes copied", "copy"),
        peer("c", "debian12", "c", "touch"),
        peer("c-new", "newest", "c", "touch"),
        peer("go", "debian12", "go", "touch"),
        peer("go-new", "newest", "go", "touch"),
      ],
      goals: [
        { metric: "ns", column: "skep", of: "c", atMost: 1.5 },
        { metric: "ns", column: "skep", of: "go", atMost: 0.25 },
      ],
    }),
  );
  for (const [part, program, atMost] of [
    ["decoded", "repeating", 45],
    ["unique", "unique", 80],
  ]) {
    await bench.part(part, () =>
      bench.measure({
        name: `decoded events, ${program === "unique" ? "no file name twice" : "names repeating (8 × 16)"}`,
        note: "numbers and both strings of each record as an object, all of them kept until the drain is over",
        metrics,
        base: "c",
        columns: [
          skep("number", "Skep, u64n", "number", program),
          skep("bigint", "Skep, bigint", "bigint", program),
          skep("callback", "Skep, u64n, not kept", "callback", program),
          peer("c", "debian12", "c", "strings", program),
          peer("c-copy", "debian12", "c", "copy", program),
          peer("c-new", "newest", "c", "strings", program),
          peer("go", "debian12", "go", "strings", program),
          peer("go-new", "newest", "go", "strings", program),
        ],
        goals: [
          { metric: "ns", column: "number", atMost },
          { metric: "ns", column: "bigint", atMost },
        ],
      }),
    );
  }
}
