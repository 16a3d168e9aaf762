import { describe, expect, it } from "vitest";
import { type Openable, openAll, readSelection } from "./select.ts";

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

describe("opening all of a name", () => {
  /** Which things are open. */
  const open = new Set<number>();
  const even: Openable<{ readonly id: number; [Symbol.dispose](): void }> = {
    what: "thing",
    ids: () => [1, 2, 3, 4, 5, 6],
    open: (id) => {
      open.add(id);
      return { id, [Symbol.dispose]: () => void open.delete(id) };
    },
    openPinned: () => expect.fail("nothing is pinned"),
    idOf: ({ id }) => id,
    matches: ({ id }) => id % 2 === 0,
  };
  const selection = { by: "name", name: "even" } as const;
  const refuse = () => {
    throw new Error("refused");
  };

  it("leaves those open that are meant, and no others", () => {
    const found = openAll(even, selection);
    expect([...open]).toEqual([2, 4, 6]);
    for (const one of found) one[Symbol.dispose]();
  });

  it.each<[string, Partial<typeof even>]>([
    [
      "listed",
      {
        *ids() {
          yield* [1, 2];
          refuse();
        },
      },
    ],
    ["opened", { open: (id) => (id < 3 ? even.open(id) : refuse()) }],
    ["looked at", { matches: (one, by) => (one.id < 3 ? even.matches(one, by) : refuse()) }],
  ])("leaves none open when one cannot be %s", (_, fault) => {
    open.clear();
    expect(() => openAll({ ...even, ...fault }, selection)).toThrow("refused");
    expect([...open]).toEqual([]);
  });
});
