/** One step of the path that the verifier was on when it stopped. */
export interface Step {
  /** The instruction, in 8-byte slots. */
  readonly slot: number;
  readonly text: string;
}

/** A branch on that path. */
export interface Branch {
  readonly slot: number;
  /** The condition as the log writes it: `if r0 == 0x0`. */
  readonly condition: string;
  readonly taken: boolean;
}

/** What a verifier's log tells, as data. */
export interface VerifierLog {
  /** The path from the program's beginning to where the verifier stopped, as far as the log has it. */
  readonly path: readonly Step[];
  readonly branches: readonly Branch[];
  /** What was known of each register before the last instruction, in the log's words: `R1` → `scalar(umax=7)`. */
  readonly registers: ReadonlyMap<string, string>;
  /** What the verifier said after the last step: its complaint, which since Linux 7 advice follows. */
  readonly complaints: readonly string[];
}

/** The path as the steps back from its end: those that share a beginning share it here, and long logs have many. */
interface Way extends Step {
  readonly before: Way | undefined;
}

const STEP = /^(\d+): \(([0-9a-f]{2})\) (.*?)(?:\s+; (.*))?$/;
const STATE = /^(?:(\d+): )?((?:frame\d+: )?(?:R\d+|fp-\d+)\S*=.*)$/;
const FROM = /^from (\d+) to (\d+)(?: \(speculative execution\))?:(.*)$/;
const STATISTICS = /^(processed \d+ insns|verification time|stack depth|peak_states|max_states)/;

/**
 * Reads the log of BPF_PROG_LOAD (log level 1). The verifier walks one path to its end, goes back to a branch and walks the
 * other side (`from 12 to 20`); the path it stopped on is put together from the pieces.
 */
export function parseLog(log: string): VerifierLog {
  let way: Way | undefined;
  let registers = new Map<string, string>();
  let complaints: string[] = [];
  /** The path to each branch that may be gone back to. */
  const known = new Map<number, Way>();
  for (const line of log.split("\n")) {
    if (line === "" || line.startsWith(";") || STATISTICS.test(line) || /^\d+: safe$/.test(line)) continue;
    const from = FROM.exec(line);
    if (from !== null) {
      const start = Number(from[1]);
      way = known.get(start);
      registers = readState(from[3] ?? "");
      continue;
    }
    const step = STEP.exec(line);
    if (step !== null) {
      const slot = Number(step[1]);
      complaints = [];
      way = { slot, text: (step[3] ?? "").trim(), before: way };
      if (/^(if|may_goto)/.test(way.text)) known.set(slot, way);
      // What the instruction changed stands behind it since Linux 5.18.
      for (const [name, value] of readState(step[4] ?? "")) registers.set(name, value);
      continue;
    }
    const state = STATE.exec(line);
    if (state !== null) {
      registers = readState(state[2] ?? "");
      continue;
    }
    complaints.push(line);
  }
  const path = stepsOf(way);
  return { path, branches: branchesOf(path), registers, complaints };
}

function stepsOf(end: Way | undefined): Step[] {
  const steps: Step[] = [];
  for (let way = end; way !== undefined; way = way.before) steps.push({ slot: way.slot, text: way.text });
  return steps.reverse();
}

function branchesOf(path: readonly Step[]): Branch[] {
  return path.flatMap(({ slot, text }, i) => {
    const found = /^(if .*?) goto pc([+-]\d+)$/.exec(text);
    const next = path[i + 1]?.slot;
    if (found === null || next === undefined) return [];
    return [
      { slot, condition: found[1] as string, taken: next === slot + 1 + Number(found[2]) && Number(found[2]) !== 0 },
    ];
  });
}

/** ` R0=map_value(off=0,ks=4,vs=8) R1_w=scalar() fp-8=mmmm????` */
function readState(text: string): Map<string, string> {
  const registers = new Map<string, string>();
  // Values may hold blanks only inside brackets.
  for (const [, name, value] of text.matchAll(/\b(R\d+|fp-\d+)(?:_\w+)?=((?:[^\s(]|\([^)]*\))+)/g))
    registers.set(name as string, value as string);
  return registers;
}
