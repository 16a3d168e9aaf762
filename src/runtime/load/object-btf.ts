import { Btf } from "../../object/btf/index.ts";
import { type ObjectSpec, typesForKernel, typesForOldKernel } from "../../object/spec/index.ts";
import { BpfAttr, Fd, raiseMemlock, SystemError, TOKEN_FLAG } from "../sys/index.ts";

const EPERM = 1;
const ENOSPC = 28;
const LOG_SIZE = 64 * 1024;

/** The kernel did not take an object's BTF. `log` is what it says about it. */
export class BtfLoadError extends SystemError {
  override readonly name = "SystemError";
  readonly log: string;

  constructor(what: string, errno: number, log: string) {
    const last = log.trimEnd().split("\n").at(-1);
    super({
      errno,
      syscall: "bpf(BPF_BTF_LOAD)",
      doing: `load the types of ${what}`,
      hint: last === undefined || last === "" ? undefined : `The kernel says: ${last}`,
      needs: ["CAP_BPF"],
    });
    this.log = log;
  }
}

/** Gives types to the kernel (BPF_BTF_LOAD, Linux 4.18). The caller closes the descriptor. Throws BtfLoadError. */
export function loadBtf(bytes: Uint8Array, what: string, token?: Fd): Fd {
  const attempt = (log?: Uint8Array) => {
    const attr = new BpfAttr().pointer(0, bytes).u32(16, bytes.length);
    if (log !== undefined) attr.pointer(8, log).u32(20, log.length).u32(24, 1);
    if (token !== undefined) attr.u32(32, TOKEN_FLAG).u32(36, token.number);
    return attr.call("BPF_BTF_LOAD");
  };
  let result = attempt();
  if (result === -EPERM && raiseMemlock()) result = attempt();
  if (result >= 0) return new Fd(result, `types of ${what}`);
  if (result === -EPERM) throw new BtfLoadError(what, EPERM, "");
  const log = new Uint8Array(LOG_SIZE);
  const again = attempt(log);
  if (again >= 0) return new Fd(again, `types of ${what}`);
  const end = log.indexOf(0);
  const text = Buffer.from(log.buffer, 0, end < 0 ? log.length : end).toString("utf8");
  // ENOSPC is about the log, the first answer about the types.
  throw new BtfLoadError(what, again === -ENOSPC ? -result : -again, text);
}

/**
 * Gives an object's types to the kernel, without the kinds that an older kernel does not know when it refuses them.
 * Undefined for an object without types. The caller closes the descriptor. Throws BtfLoadError.
 */
export function loadObjectTypes(spec: ObjectSpec, token?: Fd): Fd | undefined {
  const bytes = typesForKernel(spec);
  if (bytes === undefined || spec.btf === undefined) return undefined;
  try {
    return loadBtf(bytes, "the object", token);
  } catch (error) {
    if (!(error instanceof BtfLoadError) || error.errno === EPERM) throw error;
    const older = typesForOldKernel(bytes, Btf.parse(bytes));
    if (older === undefined) throw error;
    try {
      return loadBtf(older, "the object", token);
    } catch {
      // What was wrong with them as they are is the better answer.
      throw error;
    }
  }
}

/** Where the strings of an object's types stand: line info names files and lines by it. */
export function stringOffsets(btf: Btf): ReadonlyMap<string, number> {
  const view = new DataView(btf.bytes.buffer, btf.bytes.byteOffset, btf.bytes.byteLength);
  const little = btf.byteOrder === "little";
  const start = view.getUint32(4, little) + view.getUint32(16, little);
  const end = start + view.getUint32(20, little);
  const offsets = new Map<string, number>();
  const decoder = new TextDecoder();
  for (let at = start; at < end; ) {
    const nul = btf.bytes.indexOf(0, at);
    const stop = nul < 0 || nul > end ? end : nul;
    const text = decoder.decode(btf.bytes.subarray(at, stop));
    if (!offsets.has(text)) offsets.set(text, at - start);
    at = stop + 1;
  }
  return offsets;
}
