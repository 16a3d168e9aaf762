// Skep's column of one kernel struct's field, from cold.
import { kernelBtf } from "skep/btf";

const btf = kernelBtf();
const id = btf.find("task_struct", "struct");
const field = btf.type(id).members.find(({ name }) => name === "pid");
console.log(JSON.stringify({ offset: field.bitOffset / 8, kib: process.resourceUsage().maxRSS }));
