import { Alu, Class, encode, type Instruction, Jump } from "../../../object/asm/index.ts";
import { AttachType, type AttachTypeName, ProgramType, type ProgramTypeName } from "../../../object/spec/index.ts";
import { BpfAttr, despiteSignals, Fd, raiseMemlock } from "../../sys/index.ts";

const EPERM = 1;
const EAGAIN = 11;
const LOG_SIZE = 64 * 1024;

/** A program made only to see whether the kernel takes it. */
export interface TrialProgram {
  readonly type: ProgramTypeName;
  /** `return 0` when left out. */
  readonly instructions?: readonly Instruction[];
  readonly expectedAttachType?: AttachTypeName;
  readonly attachBtfId?: number;
  readonly flags?: number;
  /** Whether to ask the verifier for its log; it then may refuse with ENOSPC what it would have taken. */
  readonly log?: boolean;
}

export interface Attempt {
  /** Positive errno; 0 when the kernel took it. */
  readonly errno: number;
  /** The verifier's log, when it was asked for. */
  readonly log: string;
}

/** As it is: an assembler is much for two instructions, and this is in commands whose start counts. */
const RETURN_0: readonly Instruction[] = [
  { opcode: Class.ALU64 | Alu.MOV, dst: 0, src: 0, offset: 0, imm: 0 },
  { opcode: Class.JMP | Jump.EXIT, dst: 0, src: 0, offset: 0, imm: 0 },
];
let log: Uint8Array | undefined;

/** Loads a program and closes it at once. It is never attached. */
export function attemptLoad(program: TrialProgram): Attempt {
  const result = load(program);
  if (result >= 0) new Fd(result, `trial program (${program.type})`).close();
  return { errno: Math.max(0, -result), log: program.log === true ? readLog() : "" };
}

/**
 * Loads a program, hands its descriptor to `use` and closes it afterwards. `use` gives 0 or −errno; when the program
 * does not load, its own −errno is the answer. What `use` does must not attach it.
 */
export function attemptWith(program: TrialProgram, use: (fd: number) => number): number {
  const result = load(program);
  if (result < 0) return result;
  using fd = new Fd(result, `trial program (${program.type})`);
  return use(fd.number);
}

/** 0 or −errno of a call that gives a descriptor, which is closed: nothing of a trial stays. */
export function closeResult(result: number, what: string): number {
  if (result > 0) new Fd(result, what).close();
  return Math.min(0, result);
}

function load(program: TrialProgram): number {
  const code = encode(program.instructions ?? RETURN_0);
  let result = call(program, code);
  // Before Linux 5.11 programs count against RLIMIT_MEMLOCK.
  if (result === -EPERM && raiseMemlock()) result = call(program, code);
  return result;
}

function call(program: TrialProgram, code: Uint8Array): number {
  const attempt = () => {
    const attr = new BpfAttr()
      .u32(0, ProgramType[program.type])
      .u32(4, code.length / 8)
      .pointer(8, code)
      .cString(16, "GPL");
    if (program.flags !== undefined) attr.u32(44, program.flags);
    if (program.expectedAttachType !== undefined) attr.u32(68, AttachType[program.expectedAttachType]);
    if (program.attachBtfId !== undefined) attr.u32(108, program.attachBtfId);
    if (program.log === true) {
      log ??= new Uint8Array(LOG_SIZE);
      log[0] = 0;
      attr.u32(24, 1).u32(28, LOG_SIZE).pointer(32, log);
    }
    return attr.call("BPF_PROG_LOAD");
  };
  // The verifier gives up with EAGAIN when a signal is pending.
  return despiteSignals(attempt, (result) => result === -EAGAIN);
}

function readLog(): string {
  if (log === undefined) return "";
  const end = log.indexOf(0);
  return Buffer.from(log.buffer, 0, end < 0 ? log.length : end).toString("latin1");
}
