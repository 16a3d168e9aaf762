// Attaches a program that counts this process's calls, prints the program's id, and waits to be ended with it attached.
import { readFileSync } from "node:fs";
import { loadObject } from "../../../src/sdk/index.ts";
import { callGetpgid, counterMap, countingProgram } from "../../support/probe-programs.ts";

const object = loadObject({ maps: { counts: counterMap }, programs: { p: countingProgram() } });
object.programs.p.attachRawTracepoint("sys_enter");
callGetpgid(3);
const info = readFileSync(`/proc/self/fdinfo/${object.programs.p.fd.number}`, "latin1");
const id = /^prog_id:\s*(\d+)$/m.exec(info)?.[1];
console.log(JSON.stringify({ id: Number(id), count: Number(object.maps.counts.get(0)?.[0]) }));
if (process.argv[2] === "wait") setInterval(() => {}, 1000);
