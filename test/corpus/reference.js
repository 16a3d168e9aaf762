// The reference: reference.c, linked with the system's libbpf or with the one of the selftests' source.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cache } from "./packages.js";

const source = fileURLToPath(new URL("reference.c", import.meta.url));

/** Path of the program; built when it is older than its source. `own`: headers and static library instead of -lbpf. */
export function buildReference(own) {
  mkdirSync(cache, { recursive: true });
  const path = join(cache, own === undefined ? "reference" : "reference-selftests");
  if (existsSync(path) && statSync(path).mtimeMs > statSync(source).mtimeMs) return path;
  const library = own === undefined ? ["-lbpf"] : [`-I${own.include}`, own.library, "-lelf", "-lz"];
  const { status } = spawnSync("gcc", ["-O1", "-w", "-o", path, source, ...library], { stdio: "inherit" });
  if (status !== 0)
    throw new Error("corpus: the reference could not be built: apt-get install gcc libbpf-dev libelf-dev zlib1g-dev");
  return path;
}

/** libbpf's answers for one object: `{ open }`, `{ fault }`, or a record for each program. */
export function theirs(reference, file) {
  const { stdout, status, signal } = spawnSync(reference, [file], { encoding: "utf8", maxBuffer: 1 << 30 });
  if (status !== 0) return { fault: `the reference ended with ${status ?? signal}` };
  const [, ...records] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return records[0]?.open === undefined ? { programs: records } : { open: records[0].open };
}

/** libbpf's answers for programs loaded as test_loader does; a record for each. */
export function theirTests(reference, file, tests) {
  const input = tests
    .map(({ name, level, flags, run, btf, fill, auxiliary }) =>
      [name, level, flags, run ? 1 : 0, btf ?? "-", fill ?? "-", `,${auxiliary.join(",")},`].join(" "),
    )
    .join("\n");
  const { stdout, status, signal } = spawnSync(reference, ["--tests", file], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
    input,
  });
  if (status !== 0) throw new Error(`corpus: the reference ended with ${status ?? signal} on ${file}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .map((record) => ({ ...record, log: Buffer.from(record.log, "hex").toString("latin1") }));
}
