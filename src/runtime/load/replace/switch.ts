import { Assembler, Callee, Helper, Opcode, r0, r1, r2, r3, r6 } from "../../../object/asm/index.ts";
import { u64 } from "../../../object/codec/index.ts";
import { type MapSpec, ProgramFlag, type ProgramSpec } from "../../../object/spec/index.ts";
import { type BpfMap, createMap, type LiveMap } from "../../map/index.ts";
import type { CapabilityName, Fd } from "../../sys/index.ts";
import { type LoadDetails, loadProgram } from "../load-program.ts";
import type { Program } from "../program.ts";

/** The two sides of a switch: what is in force stands on one, what is to come on the other. */
export type Side = 0 | 1;

/** Program types whose attachments have no BPF_LINK_UPDATE. */
const WITHOUT_UPDATE: ReadonlySet<ProgramSpec["type"]> = new Set([
  "kprobe",
  "tracepoint",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "perf_event",
  "tracing",
  "lsm",
  "netfilter",
  "socket_filter",
  "sk_reuseport",
]);

export const WORD = { type: "array", value: u64, maxEntries: 1 } as const satisfies MapSpec;
export const SLOTS = { type: "prog_array", maxEntries: 2 } as const satisfies MapSpec;

/** Whether a program is attached through a switch: its attachment cannot be given another program, and it may make tail calls. */
export function takesSwitch({ type, expectedAttachType, flags = 0 }: ProgramSpec): boolean {
  if (expectedAttachType === "trace_iter" || expectedAttachType === "lsm_cgroup") return false;
  // The kernel lets no sleepable program make a tail call, which is what a switch is made of.
  return WITHOUT_UPDATE.has(type) && (flags & ProgramFlag.sleepable) === 0;
}

/** What is attached in a program's place: it goes on to the one that is in force. */
export interface Points {
  readonly program: Program;
  readonly slots: LiveMap<typeof SLOTS>;
}

/**
 * Hot update for attachments that the kernel cannot update: what is attached is a short program that reads one word, the
 * side, and goes on by a tail call to the program on that side. All programs of an object read the same word, so that one
 * store changes them all: each event is seen by exactly one program, and none of the old ones runs for an event that comes
 * after one which a new one has seen.
 */
export class Switch {
  /** Counts the turns: an even number is one side, an odd one the other. */
  readonly word: LiveMap<typeof WORD>;
  readonly #points = new Set<Points>();

  private constructor(word: LiveMap<typeof WORD>) {
    this.word = word;
  }

  /** `token`: the rights that its maps and programs are made by. */
  static make(needs: readonly CapabilityName[], token: Fd | undefined): Switch {
    return new Switch(createMap(WORD, "skep_turns", needs, undefined, token));
  }

  /** One that is pinned, with what is attached through it. */
  static of(word: BpfMap, points: Iterable<Points>): Switch {
    const one = new Switch(word as LiveMap<typeof WORD>);
    for (const point of points) one.#points.add(point);
    return one;
  }

  /** How often it was turned. */
  get turns(): number {
    return Number(this.word.get(0));
  }

  /** The side in force. */
  get side(): Side {
    return (this.turns & 1) as Side;
  }

  get other(): Side {
    return this.side === 0 ? 1 : 0;
  }

  /** Makes what is attached in the place of a program, which is loaded for the same target as it. */
  add(name: string, spec: ProgramSpec, details: LoadDetails): Points {
    const { attach, kernelVersion, token } = details;
    const slots = createMap(SLOTS, "skep_switch", undefined, undefined, token);
    try {
      const { code: _, ...target } = spec;
      const program = loadProgram(
        name,
        { ...target, instructions: pointsTo(spec) },
        { turns: this.word, slots },
        { attach, kernelVersion, token },
      );
      const points = { program, slots };
      this.#points.add(points);
      return points;
    } catch (error) {
      slots.close();
      throw error;
    }
  }

  /** Takes what `add` made away again; attachments of it must be closed before. */
  remove(points: Points): void {
    this.#points.delete(points);
    points.program.close();
    points.slots.close();
  }

  /** Leaves a side empty: nothing runs there. */
  clear(side: Side): void {
    for (const { slots } of this.#points) slots.delete(side);
  }

  /** Puts the other side in force, for all programs at once. */
  turn(): void {
    // Eight bytes at once: no program sees half of it.
    this.word.set(0, BigInt(this.turns + 1));
  }

  close(): void {
    for (const points of this.#points) this.remove(points);
    this.word.close();
  }
}

/** Puts a program on a side. */
export function put({ slots }: Points, side: Side, program: Program): void {
  slots.set(side, program);
}

/** The program that is attached. An empty side makes nothing of the event, as if no program were attached. */
function pointsTo({ instructions }: ProgramSpec) {
  const a = new Assembler();
  // The kernel keeps the traced function's address for programs that ask for it, and looks at the attached one only.
  if (instructions.some(asksForFunction)) a.mov(r6, r1).call("get_func_ip").mov(r1, r6);
  a.loadMapValue(r3, "turns")
    .load("u64", r3, r3, 0)
    .and(r3, 1)
    .loadMap(r2, "slots")
    .call("tail_call")
    .mov(r0, 0)
    .exit();
  return a.instructions();
}

function asksForFunction({ opcode, src, imm }: ProgramSpec["instructions"][number]): boolean {
  return opcode === Opcode.CALL && src === Callee.HELPER && imm === Helper.get_func_ip;
}
