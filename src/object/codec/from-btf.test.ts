import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readObject } from "../spec/index.ts";
import { layoutOf } from "./from-btf.ts";

const file = fileURLToPath(new URL("../../../test/fixtures/objects/maps.el.o", import.meta.url));
const { btf } = readObject(new Uint8Array(readFileSync(file)));

describe("layouts from BTF", () => {
  const layout = (name: string) => {
    const id = btf?.find(name, "struct");
    if (btf === undefined || id === undefined) throw new Error(`no struct ${name}`);
    return layoutOf(btf, id);
  };

  it("have fields where the compiler put them", () => {
    expect(layout("key")).toMatchObject({
      kind: "struct",
      size: 16,
      align: 8,
      fields: [
        { name: "a", offset: 0, layout: { kind: "u32" } },
        { name: "b", offset: 8, layout: { kind: "u64" } },
      ],
    });
  });

  it("read texts, enums and what has bit-fields", () => {
    expect(layout("value")).toMatchObject({
      size: 24,
      fields: [
        { name: "count", offset: 0, layout: { kind: "u64" } },
        { name: "name", offset: 8, layout: { kind: "str", size: 8 } },
        { name: "colour", offset: 16, layout: { kind: "u32" } },
        { name: "bits", offset: 20, layout: { kind: "bytes", size: 1 } },
      ],
    });
  });
});
