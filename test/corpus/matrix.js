// The objects of other people's on every kernel of the matrix: what each takes of Skep and of libbpf, one row a kernel.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { KERNELS } from "../vm/kernels.js";

const vm = fileURLToPath(new URL("../vm/cli.js", import.meta.url));
const run = fileURLToPath(new URL("run.js", import.meta.url));
/** Software emulation takes its time. */
const TIME_OUT = 1500;

/** The lines that `printLoads` prints, by what they begin with behind their number. */
const COLUMNS = [
  ["the same instructions", /^ *(\d+) programs with the same instructions/m],
  ["refused by both", /^ *(\d+) programs refused by both/m],
  ["Skep alone", /^ *(\d+) programs loaded by Skep alone/m],
  ["differ", /^ *(\d+) differ$/m],
  ["known why", /^ *(\d+) differ and it is known why/gm],
];

/** How many differences there are that nobody knows the cause of. */
export function onEveryKernel(kernels) {
  const wanted = kernels.length > 0 ? kernels : KERNELS.map(({ series }) => series);
  console.log(`${"kernel".padEnd(8)}${COLUMNS.map(([title]) => title.padStart(title.length + 3)).join("")}`);
  let unknown = 0;
  for (const kernel of wanted) {
    const args = [vm, "--memory", "2048", "--time-out", `${TIME_OUT}`, kernel, "--", process.execPath, run];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 26 });
    if (!/programs$/m.test(stdout)) {
      console.log(
        `${kernel.padEnd(8)}   did not run: ${/^.*Error: .*$|^(?:corpus|vm): .*$/m.exec(stderr)?.[0] ?? stderr.trim()}`,
      );
      unknown++;
      continue;
    }
    const cells = COLUMNS.map(([title, pattern]) => {
      const found = pattern.global
        ? [...stdout.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0)
        : Number(pattern.exec(stdout)?.[1] ?? 0);
      if (title === "differ") unknown += found;
      return String(found).padStart(title.length + 3);
    });
    console.log(`${kernel.padEnd(8)}${cells.join("")}`);
    for (const line of stdout.split("\n").filter((text) => /^ {4,}\S+: /.test(text)))
      console.log(`         ${line.trim()}`);
  }
  return unknown;
}
