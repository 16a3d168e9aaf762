import { BpfAttr, type Fd, kernelSince, openTimer, SystemError, setTimer } from "../sys/index.ts";
import { EventReader } from "./event-reader.ts";
import type { EventBooks } from "./event-source.ts";
import { LineSource } from "./line-source.ts";

/** BPF_STDOUT and BPF_STDERR (linux/bpf.h). */
const STREAM = { stdout: 1, stderr: 2 } as const;
const READ = 65_536;
const EVERY_MS = 100;
const EINVAL = 22;

/** How a `ProgramStream` is read. */
export interface ProgramStreamOptions {
  /** How often is looked for text while somebody listens, in milliseconds: the kernel tells nobody. 100 by default. */
  readonly everyMs?: number | undefined;
  /** How many texts the program could not print, by its own count: the kernel does not count them. */
  readonly dropped?: (() => number) | undefined;
}

/**
 * Reads one of the two streams of a program, line by line (Linux 6.17): `stdout` is what it prints itself with the kfunc
 * `bpf_stream_vprintk`, on `stderr` the kernel reports what it did wrong at run time: loops that `may_goto` had to end, locks
 * that were never released, faults in arenas (6.18). Each stream holds 100,000 bytes, what is printed beyond fails in the
 * program. What is read is gone, so there is no `lease`. The reader must be closed; the program stays its owner's. Throws
 * SystemError, on older kernels EINVAL.
 */
export class ProgramStream extends EventReader<string> {
  readonly #dropped: (() => number) | undefined;

  constructor(
    program: { readonly name: string; readonly fd: Fd },
    which: "stdout" | "stderr",
    { everyMs = EVERY_MS, dropped }: ProgramStreamOptions = {},
  ) {
    if (!(everyMs >= 1 && everyMs <= 3_600_000)) throw new TypeError(`Looking every ${everyMs} ms makes no sense.`);
    super(new StreamSource(program, which, everyMs));
    this.#dropped = dropped;
  }

  get books(): EventBooks {
    return this.commonBooks(this.#dropped?.());
  }
}

class StreamSource extends LineSource<string> {
  readonly name: string;
  /** A timer: there is nothing else to wait for. */
  readonly descriptor: Fd;
  readonly #program: Fd;
  readonly #id: number;
  readonly #everyMs: number;
  readonly #buffer = Buffer.alloc(READ);
  readonly #text = new TextDecoder();
  #running = false;
  /** The beginning of a line that has not ended yet. */
  #rest = "";

  constructor(program: { readonly name: string; readonly fd: Fd }, which: "stdout" | "stderr", everyMs: number) {
    super();
    this.name = `reader of ${which} of program "${program.name}"`;
    this.#program = program.fd;
    this.#id = STREAM[which];
    this.#everyMs = everyMs;
    this.fill();
    this.descriptor = openTimer(`timer of the ${this.name}`);
  }

  override arm(): boolean {
    if (this.#running) return false;
    this.#running = true;
    setTimer(this.descriptor, this.#everyMs);
    return true;
  }

  override hush(): void {
    if (!this.#running || this.descriptor.closed) return;
    this.#running = false;
    setTimer(this.descriptor, 0);
  }

  override look(): void {
    super.look();
    // Setting it anew is what makes a timer that went off unreadable again.
    if (this.#running) setTimer(this.descriptor, this.#everyMs);
  }

  /** A line that nobody ended is one, too. */
  override close(): void {
    if (this.#rest !== "") this.lines.push(this.#rest);
    super.close();
  }

  protected override fill(): boolean {
    const attr = new BpfAttr().pointer(0, this.#buffer).u32(8, READ).u32(12, this.#id).u32(16, this.#program.number);
    const result = attr.call("BPF_PROG_STREAM_READ_BY_FD");
    if (result < 0) {
      throw new SystemError({
        errno: -result,
        syscall: "bpf(BPF_PROG_STREAM_READ_BY_FD)",
        doing: `make a ${this.name}`,
        hint: result === -EINVAL ? kernelSince("Streams of programs", "6.17") : undefined,
        needs: ["CAP_BPF"],
      });
    }
    if (result === 0) return false;
    const lines = (this.#rest + this.#text.decode(this.#buffer.subarray(0, result), { stream: true })).split("\n");
    this.#rest = lines.pop() as string;
    for (const line of lines) this.lines.push(line);
    return true;
  }
}
