import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { Btf, BtfBuilder } from "../../../object/btf/index.ts";
import { declareKernel, namedIn } from "./index.ts";

const target = recordedTarget();
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const programs = join(root, "test/kernel-typescript");
const declare = (text: string) => declareKernel(new Map([["a.bpf.ts", text]]), target);

describe("namedIn", () => {
  it("finds what programs name, by the words that the file calls them", () => {
    const named = namedIn(
      new Map([
        [
          "a.bpf.ts",
          `import { tracepoint as tp, fentry, lsm, task } from "skep/kernel";
           import * as k from "skep/kernel";
           import type { file, path as p } from "btf:vmlinux";
           const parent = (t: import("btf:vmlinux").cred) => t.uid;
           export const a = tp("sched:sched_switch", ({ prev_pid: pid }) => task().real_parent["tgid"]);
           export const b = fentry(\`vfs_read\`, () => {});
           export const c = k.tpBtf("sched_switch", () => {});
           export const d = lsm("file_open", () => 0);
           export const e = tracepoint("not:this", () => {});
           export const f = tp(a + "b", () => {});`,
        ],
      ]),
    );
    const names = (of: ReadonlyMap<string, unknown>) => [...of.keys()];
    expect(names(named.tracepoints)).toEqual(["sched:sched_switch"]);
    expect(names(named.functions)).toEqual(["vfs_read"]);
    expect(names(named.rawTracepoints)).toEqual(["sched_switch"]);
    expect(names(named.hooks)).toEqual(["file_open"]);
    expect(names(named.structs).sort()).toEqual(["cred", "file", "path", "task_struct"]);
    for (const member of ["uid", "prev_pid", "real_parent", "tgid"]) expect(named.members).toContain(member);
  });

  it("takes the words themselves where nothing is imported, and nothing of what is no TypeScript", () => {
    expect([...namedIn(new Map([["-e", 'tracepoint("a:b", () => {})']])).tracepoints.keys()]).toEqual(["a:b"]);
    expect(namedIn(new Map([["x", "const = ("]])).tracepoints.size).toBe(0);
    expect(namedIn(new Map()).members.size).toBe(0);
  });
});

describe("declareKernel", () => {
  it("declares what is named, and of structs the members that are read", () => {
    const { text, missing } = declare(`
      import { fentry, task, tracepoint, userStr } from "skep/kernel";
      export const a = tracepoint("syscalls:sys_enter_openat", (ctx) => void [userStr(ctx.filename), task().real_parent.tgid]);
      export const b = fentry("vfs_read", (file) => void file.f_inode.i_ino);`);
    expect(missing).toEqual([]);
    expect(
      text,
    ).toBe(`// What this project's kernel code names of the kernel (${target.release}), for TypeScript: written by \`skep types\`, which
// writes it anew when the code names more.
import type { Address, UserPtr, i32, i64, u16, u64 } from "skep/kernel";

declare module "btf:vmlinux" {
  /** \`struct file\` */
  export interface file {
    f_inode: inode;
  }
  /** \`struct inode\` */
  export interface inode {
    i_ino: u64;
  }
  /** \`struct task_struct\` */
  export interface task_struct {
    tgid: i32;
    real_parent: task_struct;
  }
}

declare module "skep/kernel" {
  interface Tracepoints {
    "syscalls:sys_enter_openat": { __syscall_nr: i32; dfd: i32; filename: UserPtr<"const char">; flags: i32; mode: u16; };
  }
  interface KernelFunctions {
    vfs_read(file: import("btf:vmlinux").file, buf: Address<"char">, count: u64, pos: Address<"long long int">): i64;
  }
  interface KernelTypes {
    task_struct: import("btf:vmlinux").task_struct;
  }
}
`);
  });

  it("declares what `exists` is asked of, whether it is there or not", () => {
    const { text, missing } = declare(`
      import { exists, task, tracepoint } from "skep/kernel";
      export const p = tracepoint("sched:sched_process_exec", (ctx) => {
        if (exists(ctx.other)) return u32(ctx.other);
        return exists(task().real_parent.state) ? 1 : exists(task().__state) ? 2 : exists(task().no.such) ? 3 : 4;
      });`);
    expect(missing).toEqual([]);
    expect(text).toContain(`  export interface task_struct {
    __state: u32;
    real_parent: task_struct;
    /** Not in this kernel. */ no: any;
    /** Not in this kernel. */ state: any;
  }`);
    expect(text).toContain("old_pid: i32; other: any; };");
  });

  it("looks into files of JavaScript's own as well, past what is not kernel code", () => {
    const text = `
      import { load } from "skep";
      import { exists, task, tracepoint } from "skep/kernel";
      const other = await load(task);
      const p = tracepoint("sched:sched_process_exec", () => (exists(task().missing) ? 1 : 0));
      await load({ p, other });`;
    const declared = declareKernel(new Map([["app.ts", text]]), target).text;
    expect(declared).toContain("/** Not in this kernel. */ missing: any;");
  });

  it("tells what the kernel does not have, and declares the rest", () => {
    const { text, missing } = declare(`
      import { fentry, iter, lsm, tpBtf, tracepoint } from "skep/kernel";
      import type { no_such } from "btf:vmlinux";
      tracepoint("syscalls:sys_enter_opennat", () => {}); tracepoint("nothing", () => {}); tracepoint("../../x:y", () => {});
      fentry("vfs_raed", () => {}); lsm("file_opne", () => 0); tpBtf("sched_swich", () => {}); iter("tsk", () => {});`);
    expect(missing.map(({ what, name }) => `${what} ${name}`)).toEqual([
      "tracepoint ../../x:y",
      "tracepoint nothing",
      "tracepoint syscalls:sys_enter_opennat",
      "raw tracepoint sched_swich",
      "function vfs_raed",
      "LSM hook file_opne",
      "iterator tsk",
      "struct no_such",
    ]);
    expect(missing[2]?.place).toMatchObject({ path: "a.bpf.ts" });
    expect(text).toMatch(/^(\/\/.*\n)+export {};\n$/);
    expect(declareKernel(new Map(), { ...target, btf: undefined }).text).toMatch(/export {};\n$/);
  });

  it("declares that what an iterator shows is absent at its end, also where it is an address alone", () => {
    const btf = new BtfBuilder();
    const address = btf.add({ kind: "pointer", name: "", type: 0 });
    const member = (name: string, type: number, at: number) => ({ name, type, bitOffset: 64 * at, bitSize: 0 });
    const wide = btf.add({ kind: "union", name: "", size: 8, members: [member("key", address, 0)] });
    const seq = btf.add({ kind: "struct", name: "bpf_iter_meta", size: 8, members: [] });
    const meta = btf.add({ kind: "pointer", name: "", type: seq });
    const members = [member("meta", meta, 0), member("", wide, 1)];
    btf.add({ kind: "struct", name: "bpf_iter__elements", size: 16, members });
    const files = new Map([["-e", 'iter("elements", ({ key }) => {})']]);
    expect(declareKernel(files, { ...target, btf: Btf.parse(btf.build()) }).text).toContain(
      'elements: { meta: import("btf:vmlinux").bpf_iter_meta; key: Address<"void"> | undefined; };',
    );
  });

  it("is what tsc checks every program of the tests with", { timeout: 60_000 }, () => {
    const copy = mkdtempSync(join(tmpdir(), "skep-declared-"));
    try {
      cpSync(programs, copy, { recursive: true });
      const files = new Map(
        readdirSync(join(copy, "positive")).map((name) => [
          join(copy, "positive", name),
          readFileSync(join(copy, "positive", name), "utf8"),
        ]),
      );
      const { text, missing } = declareKernel(files, target);
      expect(missing).toEqual([]);
      writeFileSync(join(copy, "declarations.d.ts"), text);
      writeFileSync(join(copy, "package.json"), '{ "type": "module" }\n');
      const config = readFileSync(join(copy, "tsconfig.json"), "utf8").replaceAll("../..", root.replace(/\/$/, ""));
      const types = join(root, "node_modules/@types/node");
      writeFileSync(
        join(copy, "tsconfig.json"),
        config
          .replace('"compilerOptions": {', `"compilerOptions": { "types": ${JSON.stringify([types])},`)
          .replace('"positive", "negative"', '"positive"'),
      );
      const tsc = join(root, "node_modules/typescript/bin/tsc");
      expect(spawnSync(process.execPath, [tsc, "-p", copy], { encoding: "utf8" }).stdout).toBe("");
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});
