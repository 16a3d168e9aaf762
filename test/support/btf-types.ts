import type { IntType } from "../../src/object/btf/index.ts";

/** Types of the kernel that the tests run on; not every kernel shows them. */
export const VMLINUX = "/sys/kernel/btf/vmlinux";

export const INT: IntType = {
  kind: "int",
  name: "int",
  size: 4,
  bits: 32,
  bitOffset: 0,
  signed: true,
  char: false,
  bool: false,
};
