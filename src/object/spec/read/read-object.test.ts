import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { disassemble, encode } from "../../asm/index.ts";
import { ElfError } from "../../elf/index.ts";
import { readObject } from "./read-object.ts";
import { sectionMeaning } from "./section-kinds.ts";

const file = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../../test/fixtures/objects/${name}.o`, import.meta.url))));

describe("an object of maps", () => {
  const spec = readObject(file("maps.el"), { name: "maps" });

  it("has its maps with sizes, types and what they hold", () => {
    const { typed, sized, outer, jumps, events, kept } = spec.maps;
    expect(typed).toMatchObject({ type: "hash", keySize: 16, valueSize: 24, maxEntries: 64, tags: ["skep:test"] });
    expect(sized).toEqual({ type: "lru_hash", keySize: 4, valueSize: 16, maxEntries: 8, flags: 2 });
    expect(outer).toMatchObject({
      type: "array_of_maps",
      valueSize: 4,
      inner: { type: "array", keySize: 4, valueSize: 8, maxEntries: 1, name: "outer.inner" },
      slots: { 1: "first", 3: "second" },
    });
    expect(jumps).toMatchObject({ type: "prog_array", maxEntries: 2, slots: { 1: "target" } });
    expect(events).toMatchObject({ type: "ringbuf", keySize: 0, valueSize: 0, maxEntries: 4096 });
    expect(kept).toMatchObject({ type: "array", pinning: "by-name" });
    expect(spec.maps[".bss"]).toEqual({
      type: "array",
      name: "maps.bss",
      keySize: 4,
      valueSize: 24,
      maxEntries: 1,
      flags: 1 << 10,
      valueType: spec.btf?.find(".bss", "section"),
      section: ".bss",
    });
  });

  it("finds key and value types in the object's BTF", () => {
    const { btf, maps } = spec;
    expect(btf?.type(maps["typed"]?.keyType ?? 0)).toMatchObject({ kind: "struct", name: "key", size: 16 });
    const value = btf?.type(maps["typed"]?.valueType ?? 0);
    expect(value?.kind === "struct" && value.members.map(({ name }) => name)).toEqual([
      "count",
      "name",
      "colour",
      "bits",
    ]);
  });

  it("links the function for what a program throws, which a tag names", () => {
    for (const order of ["el", "eb"]) {
      const { thrower } = readObject(file(`throws.${order}`)).programs;
      const labels = thrower?.instructions.map(({ label }) => label).filter((label) => label !== undefined);
      expect(labels).toEqual(["thrower", "on_throw"]);
    }
  });

  it("links functions that are taken by address", () => {
    const each = spec.programs["each"];
    expect(each).toMatchObject({ type: "socket_filter", optional: true, license: "Dual MIT/GPL" });
    const labels = each?.instructions.map(({ label }) => label).filter((label) => label !== undefined);
    expect(labels).toEqual(["each", "visit"]);
    expect(each?.instructions.find(({ src, opcode }) => opcode === 0x18 && src === 4)?.target).toBe("visit");
    expect(() => encode(each?.instructions ?? [])).not.toThrow();
  });
});

describe("an object of the other byte order", () => {
  it("is the same spec but for the order of bytes", () => {
    for (const name of ["maps", "core"]) {
      const little = readObject(file(`${name}.el`), { name });
      const big = readObject(file(`${name}.eb`), { name });
      expect(big.byteOrder).toBe("big");
      expect(Object.keys(big.maps)).toEqual(Object.keys(little.maps));
      expect(big.variables).toEqual(little.variables);
      expect(big.externs).toEqual(little.externs);
      for (const [program, { instructions }] of Object.entries(little.programs)) {
        const other = big.programs[program]?.instructions ?? [];
        expect(other.map(({ relocation, target, map, extern }) => [relocation, target, map, extern])).toEqual(
          instructions.map(({ relocation, target, map, extern }) => [relocation, target, map, extern]),
        );
      }
    }
  });
});

describe("an object with globals, externs and CO-RE", () => {
  const spec = readObject(file("core.el"), { name: "core" });

  it("knows its variables and where they stand", () => {
    expect(spec.variables).toMatchObject({
      wanted: { map: ".rodata", offset: 0, size: 4 },
      total: { map: ".data.own", size: 4 },
      comm: { map: ".bss", size: 16 },
    });
    expect(spec.maps[".data.own"]).toMatchObject({ name: ".data.own", contents: Uint8Array.of(5, 0, 0, 0) });
    expect(spec.maps[".rodata"]).toMatchObject({ name: "core.rodata", flags: (1 << 7) | (1 << 10), frozen: true });
  });

  it("orders what it wants of the kernel as other loaders do", () => {
    expect(
      Object.entries(spec.externs ?? {}).map(([name, { kind, weak, offset }]) => [name, kind, weak, offset]),
    ).toEqual([
      ["CONFIG_NO_SUCH_OPTION", "kconfig", true, 0],
      ["LINUX_KERNEL_VERSION", "kconfig", false, 4],
      ["CONFIG_BPF_SYSCALL", "kconfig", true, 8],
      ["no_such_symbol_of_the_kernel", "symbol", true, undefined],
    ]);
    expect(spec.maps[".kconfig"]).toMatchObject({ valueSize: 9, frozen: true });
  });

  it("links each program with the functions it reaches, in the order in which it reaches them", () => {
    const labels = (name: string) => spec.programs[name]?.instructions.map(({ label }) => label).filter(Boolean);
    expect(labels("on_enter")).toEqual(["on_enter", "add_twice", "add", "hidden_add"]);
    expect(labels("poisoned")).toEqual(["poisoned"]);
  });

  it("counts hidden functions as static, so that the verifier looks into them", () => {
    const linkage = (name: string) => {
      const type = spec.btf?.type(spec.btf.find(name, "function") ?? 0);
      return type?.kind === "function" ? type.linkage : undefined;
    };
    expect([linkage("hidden_add"), linkage("add_twice"), linkage("add")]).toEqual(["static", "global", "static"]);
  });

  it("keeps source lines and relocations on the instructions", () => {
    const instructions = spec.programs["poisoned"]?.instructions ?? [];
    expect(instructions.flatMap(({ relocation }) => relocation ?? [])).toEqual([
      { kind: "fieldByteOffset", type: expect.any(Number), access: "0:4" },
    ]);
    expect(instructions[0]?.source).toMatchObject({
      line: 98,
      text: "  struct task_struct* task = (void*)current_task();",
    });
    expect(disassemble(instructions)).toContain("call bpf_get_current_task");
  });
});

describe("what is no eBPF object", () => {
  const good = file("maps.el");
  const changed = (change: (view: DataView) => void) => {
    const bytes = good.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  const cases: readonly [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /no ELF file/],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8), /gzip archive: unpack it/],
    ["LLVM bitcode", Uint8Array.of(0x42, 0x43, 0xc0, 0xde), /LLVM bitcode: finish the compilation/],
    ["a native object", changed((view) => view.setUint16(18, 62, true)), /machine 62 \(x86-64\).*clang -target bpf/],
    ["a linked program", changed((view) => view.setUint16(16, 2, true)), /not relocatable/],
    ["32 bits", changed((view) => view.setUint8(4, 1)), /32 bits/],
    ["a file cut short", good.subarray(0, 1000), /cut short/],
    ["headers beyond the end", changed((view) => view.setBigUint64(40, 2n ** 40n, true)), /beyond the end of the file/],
  ];
  for (const [what, bytes, message] of cases) {
    it(`${what} is refused in a sentence`, () => {
      expect(() => readObject(bytes)).toThrow(ElfError);
      expect(() => readObject(bytes)).toThrow(message);
    });
  }

  it("any cut of a file gives a typed error or an object", () => {
    for (let length = 0; length < good.length; length += 7) {
      try {
        readObject(good.subarray(0, length));
      } catch (error) {
        expect((error as { code?: string }).code, String(error)).toMatch(/^SKEP_(ELF|BTF|OBJECT_FILE|ASM)$/);
      }
    }
  });

  it("an unknown section of programs says nothing of their type", () => {
    // The names of the sections share the end of "?socket".
    const bytes = Buffer.from(Buffer.from(good).toString("latin1").replaceAll("socket\0", "sacket\0"), "latin1");
    const programs = Object.values(readObject(bytes).programs).filter(({ section }) =>
      /^\??sacket$/.test(section ?? ""),
    );
    expect(programs.length).toBeGreaterThan(0);
    for (const { type } of programs) expect(type).toBe("unspec");
  });
});

describe("names of sections", () => {
  const cases: readonly [string, string, string | undefined, string][] = [
    ["kprobe/do_unlinkat", "kprobe", undefined, "do_unlinkat"],
    ["kprobe", "kprobe", undefined, ""],
    ["kprobe.multi/tcp_*", "kprobe", "trace_kprobe_multi", "tcp_*"],
    ["?tp/sched/sched_switch", "tracepoint", undefined, "sched/sched_switch"],
    ["tc", "sched_cls", undefined, ""],
    ["tcx/egress", "sched_cls", "tcx_egress", ""],
    ["xdp.frags/devmap", "xdp", "xdp_devmap", ""],
    ["cgroup/connect4", "cgroup_sock_addr", "cgroup_inet4_connect", ""],
    ["lsm.s/file_open", "lsm", "lsm_mac", "file_open"],
    ["uprobe//usr/lib/libc.so.6:malloc", "kprobe", undefined, "/usr/lib/libc.so.6:malloc"],
    ["socket/tail", "socket_filter", undefined, "tail"],
    ["socket_filter/x", "socket_filter", undefined, "x"],
    ["iter.s/task", "tracing", "trace_iter", "task"],
  ];
  for (const [section, type, attachType, attachTo] of cases) {
    it(section, () => {
      const meaning = sectionMeaning(section);
      expect(meaning).toMatchObject({ kind: { type }, attachTo, optional: section.startsWith("?") });
      expect(meaning.kind.attachType).toBe(attachType);
    });
  }

  it("a name that only begins like one is none", () => {
    for (const name of ["kprobes/x", "xdpx", "tcx", "sockets", "", "cgroup/none"])
      expect(sectionMeaning(name).kind.type).toBe("unspec");
  });
});
