import { describe, expect, it } from "vitest";
import { Random } from "../../../../test/support/random.ts";
import { isRegister, type Move, type Place, STACK, sequence } from "./parallel-moves.ts";

const zero = { kind: "int", value: 0n, offset: 0, slot: undefined, name: "" } as const;
const seven = { ...zero, value: 7n };

/** Does moves one after the other, as the machine does. */
function run(moves: readonly Move[], places: Map<Place, string>): void {
  for (const { to, from, constant } of moves) {
    // Nothing goes from memory to memory, and only 0 to memory as it is.
    expect(isRegister(to) || (constant === undefined ? isRegister(from) : constant.value === 0n)).toBe(true);
    places.set(to, constant === undefined ? (places.get(from) ?? "nothing") : `${constant.value}`);
  }
}

describe("parallel moves", () => {
  it("exchange by a register that is free, or by the stack", () => {
    const moves = [
      { to: 1, from: 2, constant: undefined },
      { to: 2, from: 1, constant: undefined },
    ];
    expect(sequence(moves, () => 5)).toHaveLength(3);
    expect(sequence(moves, () => 5).some(({ to }) => !isRegister(to))).toBe(false);
    expect(sequence(moves, () => -1).some(({ to }) => !isRegister(to))).toBe(true);
  });

  it("leave out what stays", () => {
    expect(sequence([{ to: 3, from: 3, constant: undefined }], () => -1)).toEqual([]);
  });

  it("bring every value to its place, with any registers free", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = new Random(seed);
      const all = [...Array.from({ length: 10 }, (_, i) => i), ...Array.from({ length: 6 }, (_, i) => STACK + i)];
      const targets = all.filter(() => random.chance(50));
      const moves = targets.map((to) => {
        const constant = random.chance(20) ? random.pick([zero, seven]) : undefined;
        return { to, from: random.pick(all), constant };
      });
      const used = new Set(moves.flatMap(({ to, from }) => [to, from]));
      const free = Array.from({ length: 10 }, (_, r) => r).filter((r) => !used.has(r) && random.chance(50));
      const places = new Map(all.map((place) => [place, `value of ${place}`]));
      const before = new Map(places);
      run(
        sequence(moves, (not) => free.find((r) => r !== not) ?? -1),
        places,
      );
      for (const { to, from, constant } of moves) {
        const wanted = constant === undefined ? before.get(from) : `${constant.value}`;
        expect(places.get(to), `seed ${seed}, place ${to}`).toBe(wanted);
      }
      // What is no target and was not free is as it was.
      for (const place of all) {
        if (targets.includes(place) || free.includes(place)) continue;
        expect(places.get(place), `seed ${seed}, place ${place}`).toBe(before.get(place));
      }
    }
  });
});
