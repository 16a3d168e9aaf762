import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ARCHES, syscallName, syscallNames, syscallNumber } from "./index.ts";

const ROOT = "/usr/include/x86_64-linux-gnu/asm";
const HEADERS = { x64: `${ROOT}/unistd_64.h`, ia32: `${ROOT}/unistd_32.h` };
const GENERIC = "/usr/include/asm-generic/unistd.h";

function defined(path: string, pattern: RegExp): [name: string, nr: number][] {
  return [...readFileSync(path, "latin1").matchAll(pattern)].map((m) => [m[1] as string, Number(m[2])]);
}

describe("tables of system calls", () => {
  for (const [arch, path] of Object.entries(HEADERS)) {
    it.skipIf(!existsSync(path))(`${arch} agrees with the installed kernel headers`, () => {
      const header = defined(path, /^#define __NR_(\w+)\s+(\d+)$/gm);
      expect(header.length).toBeGreaterThan(300);
      for (const [name, nr] of header) {
        expect(syscallName(nr, arch), `${name} ${nr}`).toBe(name);
        expect(syscallNumber(name, arch)).toBe(nr);
      }
    });
  }

  it.skipIf(!existsSync(GENERIC))("arm64 agrees with the installed generic header", () => {
    // Calls that only 32-bit tables have (403 to 423), that arm64 leaves out, or that are named by a second define.
    const header = defined(GENERIC, /^#define __NR_(\w+)\s+(\d+)$/gm).filter(
      ([name, nr]) => !(nr >= 403 && nr <= 423) && !/^(syscalls|arch_specific_syscall|sync_file_range2)$/.test(name),
    );
    expect(header.length).toBeGreaterThan(250);
    for (const [name, nr] of header) expect(syscallNumber(name, "arm64"), name).toBe(nr);
    for (const [name, nr] of defined(GENERIC, /^#define __NR3264_(\w+)\s+(\d+)$/gm)) {
      const here = { fstatat: "newfstatat", sendfile: "sendfile" }[name] ?? name;
      if (name !== "stat" && name !== "lstat") expect(syscallNumber(here, "arm64"), name).toBe(nr);
    }
  });

  it("has the newest calls everywhere under one number", () => {
    const newest: Record<string, number> = {
      cachestat: 451,
      fchmodat2: 452,
      futex_wake: 454,
      futex_requeue: 456,
      statmount: 457,
      lsm_list_modules: 461,
      mseal: 462,
      setxattrat: 463,
      removexattrat: 466,
      open_tree_attr: 467,
      file_getattr: 468,
      file_setattr: 469,
      listns: 470,
    };
    for (const arch of ARCHES)
      for (const [name, nr] of Object.entries(newest)) expect(syscallNumber(name, arch), `${name} ${arch}`).toBe(nr);
    expect(syscallName(335, "x64")).toBe("uretprobe");
    expect(syscallName(453, "x64")).toBe("map_shadow_stack");
  });

  it("knows the well-known ones of each architecture", () => {
    expect(syscallName(257, "x64")).toBe("openat");
    expect(syscallName(56, "arm64")).toBe("openat");
    expect(syscallName(295, "ia32")).toBe("openat");
    expect(syscallName(322, "arm")).toBe("openat");
    expect(syscallNumber("open", "arm64")).toBeUndefined();
    expect(syscallNumber("socketcall", "ia32")).toBe(102);
  });

  it("gives each name one number and each number one name", () => {
    for (const arch of ARCHES) {
      const names = syscallNames(arch).filter((name) => name !== undefined);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) {
        expect(name).toMatch(/^[a-z_][a-z0-9_]+$/);
        expect(syscallName(syscallNumber(name, arch) as number, arch)).toBe(name);
      }
    }
  });

  it("says undefined for gaps, for numbers out of range and for unknown architectures", () => {
    expect(syscallName(400, "x64")).toBeUndefined();
    expect(syscallName(-1, "x64")).toBeUndefined();
    expect(syscallName(100_000, "x64")).toBeUndefined();
    expect(syscallName(1, "riscv64")).toBeUndefined();
    expect(syscallNumber("toString", "x64")).toBeUndefined();
    expect(syscallName(1, "toString")).toBeUndefined();
    expect(syscallNames("mips")).toEqual([]);
  });
});
