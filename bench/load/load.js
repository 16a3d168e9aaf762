// Skep's column of loading an object.  node load.js SLICES   (fd 3: the object)
// How long each load took, in ms.
import { fstatSync, readSync } from "node:fs";
import { loadObject } from "skep";

const slices = Number(process.argv[2]);
const bytes = new Uint8Array(fstatSync(3).size);
readSync(3, bytes, 0, bytes.length, 0);
const times = [];
let programs = 0;
for (let i = 0; i < slices; i++) {
  const start = process.hrtime.bigint();
  const object = loadObject(bytes);
  times.push(Number(process.hrtime.bigint() - start) / 1e6);
  programs = Object.keys(object.programs).length;
  object.close();
}
console.log(JSON.stringify({ programs, times }));
