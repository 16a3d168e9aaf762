// Programs that show in which order they run: each writes its digit behind those that ran before it.
import {
  Assembler,
  type AttachTypeName,
  createMap,
  type LoadedObject,
  loadObject,
  type Program,
  type ProgramTypeName,
  r0,
  r1,
  r2,
  u64,
} from "../../src/sdk/index.ts";

const orderMap = { type: "array", value: u64, maxEntries: 1 } as const;

export interface OrderPrograms {
  /** The program that writes the digit, from 1 on. */
  readonly program: (digit: number) => Program;
  /** The digits in the order in which they were written, since the last time. */
  readonly take: () => string;
  [Symbol.dispose](): void;
}

/** Programs with digits from 1 on; `result` is what each returns, so that the next one runs. */
export function orderPrograms(
  count: number,
  kind: { readonly type: ProgramTypeName; readonly expectedAttachType?: AttachTypeName; readonly result: number },
): OrderPrograms {
  const { result, ...type } = kind;
  const order = createMap(orderMap, "order");
  const objects: LoadedObject[] = [];
  for (let digit = 1; digit <= count; digit++) {
    const a = new Assembler().loadMapValue(r1, "order", 0).load("u64", r2, r1, 0).mul(r2, 10).add(r2, digit);
    a.store("u64", r1, 0, r2).mov(r0, result).exit();
    const p = { ...type, license: "GPL", instructions: a.instructions() };
    objects.push(loadObject({ maps: { order: orderMap }, programs: { p } }, { maps: { order } }));
  }
  return {
    program: (digit) => objects[digit - 1]?.programs["p"] as Program,
    take: () => {
      const digits = order.get(0) ?? 0n;
      order.set(0, 0n);
      return digits === 0n ? "" : String(digits);
    },
    [Symbol.dispose]: () => {
      for (const object of objects) object.close();
      order.close();
    },
  };
}
