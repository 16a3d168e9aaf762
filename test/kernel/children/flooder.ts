// Runs a program, by its id, over and over until it is told to end.
import { setImmediate as turn } from "node:timers/promises";
import { openProgram } from "../../../src/sdk/index.ts";

using program = openProgram(Number(process.argv[2]));
const packet = new Uint8Array(64);
let ending = false;
process.stdin.once("data", () => {
  ending = true;
});
console.log("ready");
while (!ending) {
  program.testRun({ data: packet, repeat: 200 });
  await turn();
}
console.log("ended");
