import { describe, expect, it } from "vitest";
import { readSelection } from "./select.ts";

describe("selections", () => {
  it("are an id, a name, a tag or a path, with or without saying which", () => {
    expect(readSelection(["7", "x"])).toEqual([{ by: "id", id: 7 }, ["x"]]);
    expect(readSelection(["id", "7"])).toEqual([{ by: "id", id: 7 }, []]);
    expect(readSelection(["counts"])).toEqual([{ by: "name", name: "counts" }, []]);
    expect(readSelection(["name", "7", "y"])).toEqual([{ by: "name", name: "7" }, ["y"]]);
    expect(readSelection(["/sys/fs/bpf/x"])).toEqual([{ by: "pinned", path: "/sys/fs/bpf/x" }, []]);
    expect(readSelection(["pinned", "here"])).toEqual([{ by: "pinned", path: "here" }, []]);
    expect(readSelection(["tag", "00ff"])).toEqual([{ by: "tag", tag: "00ff" }, []]);
    // Something may be called so.
    expect(readSelection(["name"])).toEqual([{ by: "name", name: "name" }, []]);
    for (const words of [[], ["id", "x"], ["id", "0"], ["4294967296"], ["id", "-1"]])
      expect(() => readSelection(words), words.join(" ")).toThrow(expect.objectContaining({ code: "SKEP_SELECTION" }));
  });
});
