// What tests compile for without a kernel: recorded by scripts/record-target.js.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Features, Target } from "../../src/language/compiler/target.ts";
import { Btf, BtfEdit } from "../../src/object/btf/index.ts";

/** A kernel that can do everything. */
export const ALL_FEATURES: Features = {
  fetchAtomics: true,
  isaV4: true,
  probeReadKernel: true,
  currentTaskBtf: true,
  forEachMapElem: true,
  loop: true,
  rdonlyCast: true,
  iterNum: true,
};

/** Types in which a member of a struct is called otherwise. */
export function renamedMember(bytes: Uint8Array, struct: string, from: string, to: string): Uint8Array {
  const btf = Btf.parse(bytes);
  const id = btf.find(struct, "struct") ?? 0;
  const type = btf.type(id);
  const index = type.kind === "struct" ? type.members.findIndex(({ name }) => name === from) : -1;
  if (index < 0) throw new Error(`struct ${struct} has no member ${from}`);
  const edit = new BtfEdit(bytes);
  edit.set(id, 12 + 12 * index, edit.addString(to));
  return edit.bytes();
}

/** The recorded kernel; with less than it can do, and other types, where that is said. */
export function recordedTarget(
  features: Partial<Features> = {},
  version = "6.18",
  edit = (btf: Uint8Array): Uint8Array => btf,
): Target {
  // From test/support/ and from dist-test/test/support/ it is the same way up.
  const here = fileURLToPath(import.meta.url).replace(/(dist-test\/)?test\/support\/.*$/, "");
  const record: { release: string; arch: "x64"; formats: Record<string, string>; btf: string } = JSON.parse(
    readFileSync(`${here}test/data/targets/${version}.json`, "utf8"),
  );
  return {
    arch: record.arch,
    byteOrder: "little",
    btf: Btf.parse(edit(new Uint8Array(Buffer.from(record.btf, "base64")))),
    release: record.release,
    features: { ...ALL_FEATURES, ...features },
    hasHelper: () => true,
    cpus: 2,
    tracepointFormat: (category, name) => record.formats[`${category}/${name}`],
  };
}
