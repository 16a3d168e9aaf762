// A one-liner from its source to loaded, again and again.  node one-liner.js TURNS
// Prints one line of JSON: the median of the later turns and the first, in ms; the passes of both.
import { compile } from "../../dist/language/compiler/index.js";
import { loadObject } from "../../dist/sdk/index.js";
import { liveTarget } from "../../dist/sdk/kernel-typescript/target.js";
import { median } from "../harness/stats.js";

const turns = Number(process.argv[2]);
const SOURCE = 'tp("syscalls:sys_enter_openat", count[comm()]++)';
const sources = { entry: "-e", files: new Map([["-e", SOURCE]]), oneLiner: true };
const now = () => performance.now();

const all = [];
let programs = 0;
for (let turn = 0; turn < turns; turn++) {
  const start = now();
  const { spec, timings, diagnostics } = compile(sources, liveTarget(), { now });
  const compiled = now();
  if (spec === undefined) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join("; "));
  const object = loadObject(spec);
  const loaded = now();
  programs = Object.keys(object.programs).length;
  object.close();
  all.push({ ms: loaded - start, compile: compiled - start, load: loaded - compiled, timings });
}
if (programs !== 1) throw new Error(`${programs} programs were loaded, not 1`);
const [first, ...others] = all;
const warm = others.slice(others.length >> 1);
const of = (key) => median(warm.map((one) => one[key]));
const passes = first.timings.map(({ pass, ms }, i) => ({
  pass,
  first: ms,
  warm: median(warm.map((one) => one.timings[i].ms)),
}));
console.log(JSON.stringify({ warm: of("ms"), compile: of("compile"), load: of("load"), first: first.ms, passes }));
