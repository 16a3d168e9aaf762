import { describe, expect, it } from "vitest";
import { parseKernelConfig } from "./kernel-config.ts";

describe("the kernel's build options", () => {
  it("are read line by line; what is off is left out", () => {
    const options = parseKernelConfig(`# Linux/x86 6.12 Kernel Configuration
CONFIG_BPF_SYSCALL=y
# CONFIG_KPROBES is not set
CONFIG_NET_CLS_BPF=m
CONFIG_HZ=250
CONFIG_LSM="landlock,bpf"
CONFIG_EMPTY=""
`);
    expect([...options]).toEqual([
      ["CONFIG_BPF_SYSCALL", "y"],
      ["CONFIG_NET_CLS_BPF", "m"],
      ["CONFIG_HZ", "250"],
      ["CONFIG_LSM", "landlock,bpf"],
      ["CONFIG_EMPTY", ""],
    ]);
  });
});
