// How long each pass takes for a program, the first time and when all is warm.  node passes.js FILE.bpf.ts TURNS
import { readFileSync } from "node:fs";
import { compile } from "../../dist/language/compiler/index.js";
import { liveTarget } from "../../dist/sdk/kernel-typescript/target.js";
import { median } from "../harness/stats.js";

const [path, turns] = process.argv.slice(2);
const sources = { entry: path, files: new Map([[path, readFileSync(path, "utf8")]]) };
const all = [];
let instructions = 0;
for (let turn = 0; turn < Number(turns); turn++) {
  const { spec, timings } = compile(sources, liveTarget(), { now: () => performance.now() });
  if (spec === undefined) throw new Error(`${path} does not compile`);
  all.push(timings);
  instructions = Object.values(spec.programs).reduce((sum, program) => sum + program.instructions.length, 0);
}
const warm = all.slice(all.length >> 1);
const passes = all[0].map(({ pass, ms }, i) => ({ pass, first: ms, warm: median(warm.map((one) => one[i].ms)) }));
console.log(JSON.stringify({ instructions, passes }));
