import {
  mapIdOf,
  openMap,
  openPinnedProgram,
  openProgram,
  type Program,
  type ProgramDetails,
  type ProgramDump,
  programDetails,
  programIds,
  type TestRunOptions,
  type TestRunResult,
} from "../../sdk/index.ts";
import { listing } from "../text/index.ts";
import type { Holders, HoldingProcess } from "./holders.ts";
import type { LinkReport } from "./link-report.ts";
import { targetOf } from "./program-target.ts";
import { type Openable, openIfThere } from "./select.ts";
import { hexText } from "./value-text.ts";

/** A program as `skep prog list` has it. */
export interface ProgramReport {
  readonly details: ProgramDetails;
  /** What it is attached to by links, in words. */
  readonly attached: readonly { readonly linkId: number; readonly target: string }[];
  readonly holders: readonly HoldingProcess[];
  /** The name of the function or tracepoint it was loaded for. */
  readonly loadedFor: string | undefined;
}

/** How programs are listed, opened and chosen (`openAll`, `openOne`). */
export const PROGRAMS: Openable<Program> = {
  what: "program",
  ids: programIds,
  open: openProgram,
  openPinned: openPinnedProgram,
  idOf: (program) => program.details().id,
  matches: (program, selection) =>
    selection.by === "name"
      ? program.name === selection.name
      : selection.by === "tag" && program.details().tag === selection.tag,
};

export function reportProgram(program: Program, holders: Holders, links: readonly LinkReport[]): ProgramReport {
  const details = programDetails(program);
  return {
    details,
    attached: links
      .filter((link) => link.details.programId === details.id)
      .map(({ details: { id }, target }) => ({ linkId: id, target })),
    holders: holders.programs.get(details.id) ?? [],
    loadedFor: targetOf(details),
  };
}

/** Kinds of programs that are run over a packet. */
const PACKET_KINDS: ReadonlySet<string> = new Set([
  "socket_filter",
  "sched_cls",
  "sched_act",
  "xdp",
  "cgroup_skb",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
  "lwt_seg6local",
  "sk_skb",
  "flow_dissector",
  "netfilter",
]);
/** Enough for the headers that programs look at. */
const EMPTY_PACKET = 64;

/** `Program.testRun`, with an empty packet for those that want one when neither packet nor context is given. */
export function runProgram(program: Program, options: TestRunOptions): TestRunResult {
  const { data, context } = options;
  const isBare = data === undefined && context === undefined && PACKET_KINDS.has(program.spec.type);
  return program.testRun(isBare ? { ...options, data: new Uint8Array(EMPTY_PACKET) } : options);
}

/** The text of a program that was read back: functions, source lines, instructions, with maps by their names. */
export function formatDump({ instructions, callee }: ProgramDump): string {
  const names = new Map<number, string>();
  const nameOf = (id: number) => {
    const known = names.get(id);
    if (known !== undefined) return known;
    using map = openIfThere({ open: openMap }, id);
    const name = `${map?.name ?? ""}#${id}`;
    names.set(id, name);
    return name;
  };
  const named = instructions.map((instruction) => {
    const id = mapIdOf(instruction);
    return id === undefined ? instruction : { ...instruction, map: nameOf(id) };
  });
  return listing(named, { callee });
}

/** The machine code as hexadecimal lines of 16 bytes with their addresses, function by function. */
export function formatMachineCode({ functions }: ProgramDump): string {
  return functions
    .filter(({ machine }) => machine.length > 0)
    .map(({ name, address, machine }, i) => {
      const lines: string[] = [];
      for (let at = 0; at < machine.length; at += 16) {
        const bytes = hexText(machine.subarray(at, at + 16));
        lines.push(`  ${(address + BigInt(at)).toString(16).padStart(16, "0")}  ${bytes}`);
      }
      return `${name ?? `function ${i}`}:\n${lines.join("\n")}`;
    })
    .join("\n\n");
}
