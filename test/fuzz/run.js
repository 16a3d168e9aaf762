#!/usr/bin/env node
// npm run fuzz -- elf|btf [--inputs N] [--seed N]: broken objects and types are read; nothing but a typed error may come of
// it, within a second and within reason of memory. What breaks it is written to a file and named.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Btf } from "../../dist/object/btf/index.js";
import { parseElf } from "../../dist/object/elf/index.js";
import { readObject } from "../../dist/object/spec/index.js";
import { mutate, Random } from "./mutate.js";

const objects = fileURLToPath(new URL("../fixtures/objects/", import.meta.url));
const seeds = readdirSync(objects)
  .filter((name) => name.endsWith(".o"))
  .map((name) => new Uint8Array(readFileSync(join(objects, name))));

const TARGETS = {
  elf: { seeds, header: (bytes) => parseElf(bytes), read: (bytes) => readObject(bytes) },
  btf: {
    seeds: seeds.map((bytes) =>
      parseElf(bytes)
        .sections.find(({ name }) => name === ".BTF")
        .data.slice(),
    ),
    header: (bytes) => Btf.parse(bytes),
    read(bytes) {
      const btf = Btf.parse(bytes);
      for (let id = 1; id < btf.endId; id++) {
        btf.type(id);
        try {
          btf.sizeOf(id);
        } catch (error) {
          if (error.code !== "SKEP_BTF") throw error;
        }
      }
      btf.candidates("task_struct");
      btf.find("key", "struct");
    },
  },
};

const { values, positionals } = parseArgs({
  options: { inputs: { type: "string" }, seed: { type: "string" } },
  allowPositionals: true,
});
const inputs = Number(values.inputs ?? 1_000_000);
const random = new Random(Number(values.seed ?? Date.now()));
let failures = 0;
for (const name of positionals.length > 0 ? positionals : Object.keys(TARGETS)) {
  const target = TARGETS[name];
  if (target === undefined) {
    console.error(`fuzz: there is no target ${name}; there are ${Object.keys(TARGETS).join(", ")}`);
    process.exit(2);
  }
  const counts = { headers: 0, read: 0 };
  const begin = performance.now();
  let slowest = 0;
  for (let i = 0; i < inputs; i++) {
    const bytes = mutate(target.seeds[random.below(target.seeds.length)], random);
    const start = performance.now();
    let fault;
    try {
      target.header(bytes);
      counts.headers++;
      target.read(bytes);
      counts.read++;
    } catch (error) {
      if (!/^SKEP_(ELF|BTF|OBJECT_FILE|ASM|CODEC|CORE_RELOCATION)$/.test(error.code ?? "")) fault = error.stack;
    }
    const ms = performance.now() - start;
    slowest = Math.max(slowest, ms);
    if (ms > 1000) fault ??= `it took ${Math.round(ms)} ms`;
    if (fault === undefined) continue;
    const file = join(tmpdir(), `skep-fuzz-${name}-${++failures}`);
    writeFileSync(file, bytes);
    console.error(`${file}: ${fault}`);
    if (failures > 20) process.exit(1);
  }
  const percent = (n) => `${Math.round((n * 100) / inputs)} %`;
  console.log(
    `${name}: ${inputs} inputs in ${Math.round((performance.now() - begin) / 1000)} s (seed ${random.seed}), ${percent(counts.headers)} pass the header, ${percent(counts.read)} are read whole, slowest ${Math.round(slowest)} ms, ${Math.round(process.memoryUsage.rss() / 1e6)} MB, ${failures} failures`,
  );
}
process.exitCode = failures === 0 ? 0 : 1;
