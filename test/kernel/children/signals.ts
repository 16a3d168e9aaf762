// Loads large programs while an interval timer sends signals all the time: the verifier gives up when one is pending.
import { Assembler, loadObject, r0 } from "../../../src/sdk/index.ts";
import { pace } from "../../support/pace.ts";
import { signalStorm } from "../../support/signal-storm.ts";

const end = signalStorm();
const a = new Assembler();
for (let i = 0; i < pace(200_000, 20_000); i++) a.mov(r0, i);
const program = { type: "socket_filter", license: "GPL", instructions: a.exit().instructions() } as const;
for (let i = 0; i < 5; i++) loadObject({ maps: {}, programs: { p: program } }).close();
await end();
console.log("done");
