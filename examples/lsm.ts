// LSM: a program decides whether a file may be opened; here this process may not open one of its own. Linux 5.8 with BTF and
// bpf among the security modules (skep doctor tells); root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/lsm.js
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadObject } from "skep";
import type { Lsm } from "./lsm.bpf.d.ts";

function tryToRead(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const folder = mkdtempSync(join(tmpdir(), "skep-lsm-"));
try {
  const file = join(folder, "secret");
  writeFileSync(file, "the secret");
  const variables = { pid: process.pid, inode: statSync(file, { bigint: true }).ino };
  using object = loadObject<Lsm>(new URL("lsm.bpf.o", import.meta.url), { variables });
  console.log(`before: ${tryToRead(file)}`);
  const { on_open } = object.attach(); // by its section: SEC("lsm/file_open")
  console.log(`attached: ${tryToRead(file)}`);
  on_open?.close();
  console.log(`afterwards: ${tryToRead(file)}; refused ${object.variables.refused.get()} times`);
} finally {
  rmSync(folder, { recursive: true });
}
