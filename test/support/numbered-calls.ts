// The fixture `numbered` and programs that note its calls: with them a hot update is shown to miss no event and to see none
// twice. The programs are those of `skep hotswap`.
import {
  Assembler,
  type BpfMap,
  type KeyedMap,
  MappedArray,
  type ObjectSpec,
  type ProgramSpec,
  r1,
  r6,
  r7,
  u32,
} from "../../src/sdk/index.ts";
import { BEGIN, ending, NumberedCalls, noteCall, noteMaps, pairSpec as pairs } from "../../src/tools/hotswap/index.ts";
import { fixture } from "./fixture.ts";

export { BEGIN, END, type NumberedCalls } from "../../src/tools/hotswap/index.ts";

/** Programs that see getpgid(2) begin and end. */
export const pairSpec = (version: number) => pairs(version, "getpgid");

/** A program of a cgroup that sees connect(2), as the `version`th of them. */
export function connectSpec(version: number) {
  const a = new Assembler();
  // struct bpf_sock_addr: user_ip4 at 4, in the network's order.
  a.load("u32", r6, r1, 4).toBe(r6, 32).mov(r7, r6).and32(r7, 0xff_ffff);
  noteCall(a, BEGIN, version);
  const connect: ProgramSpec = {
    type: "cgroup_sock_addr",
    expectedAttachType: "cgroup_inet4_connect",
    license: "GPL",
    instructions: ending(a, 1),
  };
  return { maps: noteMaps, programs: { connect } } as const satisfies ObjectSpec;
}

/** The fixture, waiting to begin. */
export function numberedCalls(kind: "getpgid" | "connect", count: number, perSecond: number): NumberedCalls {
  return new NumberedCalls([fixture("numbered"), kind, String(count), String(perSecond)]);
}

/** The numbers of calls that were not noted just as `expected`. */
export function unexpected(map: BpfMap, count: number, expected: number): readonly string[] {
  const mapped = new MappedArray(map, u32);
  try {
    const wrong: string[] = [];
    for (let number = 1; number <= count && wrong.length < 20; number++) {
      const noted = mapped.get(number) ?? 0;
      if (noted !== expected) wrong.push(`${number}: begin ${noted & 0xff}, end ${noted >> 8}`);
    }
    return wrong;
  } finally {
    mapped.close();
  }
}

/** What each version that saw calls counted. */
export function countsOf(map: BpfMap): readonly bigint[] {
  const versions = map as KeyedMap<number, { readonly count: bigint }>;
  return [...versions.entries()].map(([, { count }]) => count).filter((count) => count > 0n);
}
