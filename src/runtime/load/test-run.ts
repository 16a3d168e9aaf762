import { BpfAttr, type Fd, kernelSince, SystemError, withSignalsBlocked } from "../sys/index.ts";

/** What a program is run with by `testRun`. */
export interface TestRunOptions {
  /** The packet, for networking programs (at least 14 bytes). */
  readonly data?: Uint8Array;
  /** The context structure, for program types that take one; raw tracepoints: their arguments as u64s. Not changed. */
  readonly context?: Uint8Array;
  /** How often; the duration is the mean. */
  readonly repeat?: number;
  /** Room for the packet as the program left it; 0 (default) when it is not wanted. */
  readonly dataOutSize?: number;
  /** Room for the context as the program left it; 0 (default) when it is not wanted (Linux 4.20 for packets, 5.14 for syscall programs). */
  readonly contextOutSize?: number;
  /** For raw tracepoints: the CPU that it runs on (Linux 5.10). */
  readonly cpu?: number;
  /**
   * For XDP: packets that it passes or redirects really go there, as if they had come in at the interface of the context
   * (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18). `batchSize`: how many at once, 64 when left out.
   */
  readonly liveFrames?: boolean | { readonly batchSize: number };
}

/** What a test run gave. */
export interface TestRunResult {
  /** The program's return value, as a u32; 0 with live frames. */
  readonly retval: number;
  /** Mean nanoseconds of one run. */
  readonly durationNs: number;
  /** The packet afterwards, when `dataOutSize` was given. */
  readonly dataOut: Uint8Array | undefined;
  /** The context afterwards, when `contextOutSize` was given. */
  readonly contextOut: Uint8Array | undefined;
}

/** BPF_F_TEST_… of linux/bpf.h */
const ON_CPU = 1;
const LIVE_FRAMES = 2;
const EINVAL = 22;
const ENOSPC = 28;
const ENXIO = 6;
const ENOTSUPP = 524;

interface Runnable {
  readonly fd: Fd;
  readonly name: string;
  readonly spec: { readonly type: string };
}

/** `Program.testRun`. */
export function testRun(program: Runnable, options: TestRunOptions): TestRunResult {
  const { cpu, liveFrames = false, repeat = 0 } = options;
  const data = options.data ?? new Uint8Array(0);
  // A syscall program's context is given back where it was taken from, and other room for it is refused.
  const inPlace = program.spec.type === "syscall";
  const given = options.context ?? new Uint8Array(0);
  const context = inPlace ? given.slice() : given;
  const dataOut = new Uint8Array(options.dataOutSize ?? 0);
  const contextOut = new Uint8Array(inPlace ? 0 : (options.contextOutSize ?? 0));
  const attr = new BpfAttr()
    .u32(0, program.fd.number)
    .u32(8, data.length)
    .u32(12, dataOut.length)
    .pointer(16, data)
    .pointer(24, dataOut)
    .u32(32, repeat)
    .u32(40, context.length)
    .u32(44, contextOut.length)
    .pointer(48, context)
    .pointer(56, contextOut);
  // Both at once are the kernel's to refuse.
  const flags = (cpu === undefined ? 0 : ON_CPU) | (liveFrames === false ? 0 : LIVE_FRAMES);
  if (flags !== 0) attr.u32(64, flags);
  if (cpu !== undefined) attr.u32(68, cpu);
  if (typeof liveFrames === "object") attr.u32(72, liveFrames.batchSize);
  // Between two runs the kernel gives up when a signal is pending (EINTR), and what has run has run: asked again it would run
  // more often than wanted. Signals wait until it is done.
  const call = () => attr.call("BPF_PROG_TEST_RUN");
  const result = repeat > 1 ? withSignalsBlocked(call) : call();
  if (result < 0)
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_PROG_TEST_RUN)",
      doing: `run program "${program.name}"`,
      hint: hintOf(-result, program, options, attr.read32(12)),
    });
  const made = (bytes: Uint8Array, wanted: number | undefined, offset: number) =>
    wanted === undefined ? undefined : bytes.slice(0, Math.min(bytes.length, attr.read32(offset)));
  return {
    retval: attr.read32(4),
    durationNs: attr.read32(36),
    dataOut: made(dataOut, options.dataOutSize, 12),
    contextOut:
      inPlace && options.contextOutSize !== undefined
        ? context.slice(0, options.contextOutSize)
        : made(contextOut, options.contextOutSize, 44),
  };
}

/** What a program is measured with by `benchmark`. */
export interface BenchmarkOptions extends Pick<TestRunOptions, "data" | "context"> {
  /** Runs in a round, of which the kernel gives the mean; 10 000 when left out. */
  readonly repeat?: number;
  /** 11 when left out. */
  readonly rounds?: number;
}

/** Nanoseconds of one run: the means of the rounds. */
export interface BenchmarkResult {
  readonly medianNs: number;
  readonly leastNs: number;
  readonly mostNs: number;
  /** What the program returned in the last run. */
  readonly retval: number;
}

/** `Program.benchmark`. */
export function benchmark(program: Runnable, options: BenchmarkOptions): BenchmarkResult {
  const { repeat = 10_000, rounds = 11, ...input } = options;
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`${rounds} is no number of rounds: it is from 1 on.`);
  const means: number[] = [];
  let retval = 0;
  for (let round = 0; round < rounds; round++) {
    const result = testRun(program, { ...input, repeat });
    means.push(result.durationNs);
    retval = result.retval;
  }
  means.sort((a, b) => a - b);
  const medianNs = ((means[(rounds - 1) >> 1] as number) + (means[rounds >> 1] as number)) / 2;
  return { medianNs, leastNs: means[0] as number, mostNs: means[rounds - 1] as number, retval };
}

function hintOf(
  errno: number,
  { spec: { type } }: Runnable,
  { cpu, liveFrames, dataOutSize = 0 }: TestRunOptions,
  packet: number,
): string | undefined {
  if (errno === ENOTSUPP) return `Programs of type ${type} cannot be test-run on this kernel.`;
  if (errno === ENXIO && cpu !== undefined) return `There is no CPU ${cpu}, or it is not on line.`;
  if (errno === ENOSPC && packet > dataOutSize)
    return `The packet has ${packet} bytes afterwards: give room for them with dataOutSize.`;
  if (errno !== EINVAL) return undefined;
  if (liveFrames !== undefined && liveFrames !== false)
    return (
      kernelSince("Live frames", "5.18") ??
      "Live frames are for XDP programs, and give back neither packet nor context."
    );
  if (cpu !== undefined)
    return kernelSince("Runs on a CPU of one's choice", "5.10") ?? "Only raw tracepoints run on a CPU of one's choice.";
  return undefined;
}
