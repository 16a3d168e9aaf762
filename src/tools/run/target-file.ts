import { readFileSync, writeFileSync } from "node:fs";
import type { RecordedTarget, Target } from "../../language/compiler/index.ts";
import { recordTarget } from "../../sdk/kernel-typescript/index.ts";
import { compiling } from "./compiling.ts";
import { RunError } from "./run-error.ts";

const SCHEMA = "skep.target/1";
const GZIP = 0x1f;
/** What BTF begins with, in either byte order. */
const BTF: readonly number[] = [0x9f, 0xeb];

/** What the file holds: JSON, compressed, with the types in base64. */
type Stored = Omit<RecordedTarget, "btf"> & { readonly schema: string; readonly btf: string | null };

/** Writes what the compiler wants to know of the kernel that runs; how many tracepoints and bytes. Throws as `recordTarget`. */
export function writeTarget(path: string): { readonly tracepoints: number; readonly bytes: number } {
  const record = recordTarget();
  const btf = record.btf === undefined ? null : Buffer.from(record.btf).toString("base64");
  const text = JSON.stringify({ schema: SCHEMA, ...record, btf } satisfies Stored);
  const bytes = zlib().gzipSync(text, { level: 9 });
  writeFileSync(path, bytes);
  return { tracepoints: Object.keys(record.formats).length, bytes: bytes.length };
}

/**
 * The kernel that a file tells of: one that `writeTarget` wrote, or the types alone of a kernel whose version is said. Throws RunError
 * for any other file.
 */
export function readTarget(path: string, release?: string): Target {
  const bytes = contentOf(path);
  const { targetOf, targetOfTypes } = compiling();
  try {
    if (BTF.includes(bytes[0] ?? 0) && BTF.includes(bytes[1] ?? 0)) {
      if (release !== undefined) return targetOfTypes(bytes, release);
      throw new RunError(
        `${path} has the types of a kernel, which do not tell its version: say it with --release, e.g. --release 6.1.`,
      );
    }
    const text = (bytes[0] === GZIP ? zlib().gunzipSync(bytes) : Buffer.from(bytes)).toString("utf8");
    const stored = JSON.parse(text) as Stored;
    if (stored.schema !== SCHEMA) throw new SyntaxError(`its schema is ${String(stored.schema)}, not ${SCHEMA}`);
    const { btf, ...record } = stored;
    return targetOf({ ...record, btf: btf === null ? undefined : new Uint8Array(Buffer.from(btf, "base64")) });
  } catch (cause) {
    if (cause instanceof RunError) throw cause;
    throw new RunError(
      `${path} tells of no kernel: ${(cause as Error).message}. Write such a file with skep check --record-target FILE on that kernel, or give its types (/sys/kernel/btf/vmlinux) and --release.`,
      { cause },
    );
  }
}

function contentOf(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new RunError(`Cannot read ${path}: ${(cause as Error).message}.`, { cause });
  }
}

/** Loaded when it is first used: most runs of the commands need none. */
function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}
