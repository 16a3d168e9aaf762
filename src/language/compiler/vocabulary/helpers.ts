import {
  EACCES,
  EAGAIN,
  EBUSY,
  ECONNREFUSED,
  EEXIST,
  EINTR,
  EINVAL,
  EIO,
  ENOENT,
  ENOMEM,
  ENOSYS,
  EPERM,
  XDP,
} from "../../kernel/index.ts";
import type { Type } from "../type.ts";
import { I64, U16, U32, U64 } from "../type.ts";

/** A function of `skep/kernel` that a program may call and that is neither a map's nor special to the checker. */
export interface HelperSignature {
  /** What its arguments are; `integer`: any, as it is. */
  readonly params: readonly ("integer" | "userPointer" | "address")[];
  readonly result: Type;
}

/** By name. What they are compiled to stands in lower/helpers.ts; what they are for, at their declarations in `skep/kernel`. */
export const HELPERS: Readonly<Record<string, HelperSignature>> = {
  pid: { params: [], result: U32 },
  tid: { params: [], result: U32 },
  pidTgid: { params: [], result: U64 },
  nsPidTgid: { params: ["integer", "integer"], result: U64 },
  taskAddress: { params: [], result: U64 },
  taskRegisters: { params: [], result: { kind: "kernelPointer", type: 0, name: "", trust: "plain" } },
  uid: { params: [], result: U32 },
  gid: { params: [], result: U32 },
  comm: { params: [], result: { kind: "str", size: 16 } },
  ktime: { params: [], result: U64 },
  ktimeBoot: { params: [], result: U64 },
  cpu: { params: [], result: U32 },
  numaNode: { params: [], result: U32 },
  cgroupId: { params: [], result: U64 },
  random: { params: [], result: U32 },
  jiffies: { params: [], result: U64 },
  funcIp: { params: [], result: U64 },
  cookie: { params: [], result: U64 },
  signal: { params: ["integer"], result: I64 },
  signalThread: { params: ["integer"], result: I64 },
  ntohs: { params: ["integer"], result: U16 },
  htons: { params: ["integer"], result: U16 },
  ntohl: { params: ["integer"], result: U32 },
  htonl: { params: ["integer"], result: U32 },
  ntohll: { params: ["integer"], result: U64 },
  htonll: { params: ["integer"], result: U64 },
  clz32: { params: ["integer"], result: U32 },
  log2: { params: ["integer"], result: U32 },
};

/** Functions of the vocabulary whose types depend on how they are called: the checker knows them one by one. */
export const SPECIAL = new Set([
  "task",
  "userStr",
  "kernelStr",
  "readUser",
  "readKernel",
  "userStrInto",
  "kernelStrInto",
  "readUserInto",
  "readKernelInto",
  "zeros",
  "cell",
  "min",
  "max",
  "abs",
  "print",
  "exists",
  "range",
  "atMost",
]);

function integers(table: Readonly<Record<string, number>>): Readonly<Record<string, bigint>> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, BigInt(value)]));
}

/** Constants of `skep/kernel`. */
export const CONSTANTS: Readonly<Record<string, bigint | Readonly<Record<string, bigint>>>> = {
  ...integers({
    EACCES,
    EAGAIN,
    EBUSY,
    ECONNREFUSED,
    EEXIST,
    EINTR,
    EINVAL,
    EIO,
    ENOENT,
    ENOMEM,
    ENOSYS,
    EPERM,
  }),
  XDP: integers(XDP),
};
