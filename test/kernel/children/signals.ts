// Loads large programs while an interval timer sends signals all the time: the verifier gives up when one is pending.
import assert from "node:assert/strict";
import { native } from "../../../src/runtime/sys/index.ts";
import { Assembler, loadObject, r0 } from "../../../src/sdk/index.ts";

const SETITIMER = process.arch === "arm64" ? 103 : 38;
let signals = 0;
process.on("SIGALRM", () => signals++);
// An emulated machine would do nothing but take signals.
const emulated = process.env["SKEP_VM"] === "1";
const every200us = new BigInt64Array(emulated ? [0n, 5000n, 0n, 5000n] : [0n, 200n, 0n, 200n]);
assert.equal(native().syscall(SETITIMER, 0, every200us, 0), 0);
const a = new Assembler();
for (let i = 0; i < (emulated ? 20_000 : 200_000); i++) a.mov(r0, i);
const program = { type: "socket_filter", license: "GPL", instructions: a.exit().instructions() } as const;
for (let i = 0; i < 5; i++) loadObject({ maps: {}, programs: { p: program } }).close();
native().syscall(SETITIMER, 0, new BigInt64Array(4), 0);
// Node hands them on when it comes to its loop, which the storm may have kept it from.
for (let i = 0; i < 500 && signals === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
assert.ok(signals > 0, "no signal came");
console.log("done");
