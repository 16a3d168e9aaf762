// skep types: what it declares of this very kernel, and what it says of names that this kernel does not have.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunOptions, root, run, Scratch, skepPath } from "../support/cli.ts";
import { kernelTest } from "../support/kernel-test.ts";

const types = (cwd: string, args: readonly string[], options: RunOptions = {}) =>
  run([process.execPath, skepPath, "types", ...args], { ...options, cwd });

kernelTest("skep types declares what a project names, and tells when that is out of date", async () => {
  using scratch = new Scratch();
  mkdirSync(scratch.file("src/node_modules/x"), { recursive: true });
  for (const name of ["opensnoop", "lsm"])
    copyFileSync(join(root, `test/kernel-typescript/positive/${name}.bpf.ts`), scratch.file(`src/${name}.bpf.ts`));
  writeFileSync(scratch.file("src/node_modules/x/other.bpf.ts"), "const = not even TypeScript");
  assert.deepEqual(await types(scratch.path, []), {
    code: 0,
    signal: null,
    stdout: "kernel.gen.d.ts: written (2 files of kernel code)\n",
    stderr: "",
  });
  const text = readFileSync(scratch.file("kernel.gen.d.ts"), "utf8");
  // Newer kernels add a field with the text.
  assert.match(text, /"syscalls:sys_enter_openat": \{ .*filename: UserPtr<"const char">; flags: i32; mode: u16; .*\};/);
  assert.match(text, /file_open\(file: import\("btf:vmlinux"\)\.file\): i32;/);
  assert.match(text, /export interface file \{[^}]*f_inode: inode;/);
  assert.match(text, /export interface qstr \{[^}]*name: Address<"unsigned char">;/);
  assert.match(text, /task_struct: import\("btf:vmlinux"\)\.task_struct;/);
  assert.equal((await types(scratch.path, [])).stdout, "kernel.gen.d.ts: as it was (2 files of kernel code)\n");
  assert.equal((await types(scratch.path, ["--check"])).code, 0);
  assert.equal((await types(scratch.path, ["src", "-o", "-"])).stdout, text);
  assert.notEqual((await types(scratch.path, ["src/lsm.bpf.ts", "-o", "-"])).stdout, text);
  writeFileSync(
    scratch.file("src/more.bpf.ts"),
    'import { fentry } from "skep/kernel";\nexport const a = fentry("vfs_read", () => {});\n',
  );
  const { code, stderr } = await types(scratch.path, ["--check"]);
  assert.equal(code, 1);
  assert.equal(stderr, "skep types: kernel.gen.d.ts is out of date. Run skep types without --check.\n");
  assert.equal(readFileSync(scratch.file("kernel.gen.d.ts"), "utf8"), text);
});

kernelTest("skep types tells where names stand that this kernel does not have", async () => {
  using scratch = new Scratch();
  writeFileSync(
    scratch.file("a.bpf.ts"),
    'import { fentry, tracepoint } from "skep/kernel";\n\n  fentry("vfs_raed", () => {});\ntracepoint("sched:nothing", () => {});\n',
  );
  const missing = await types(scratch.path, ["a.bpf.ts"]);
  assert.equal(missing.code, 1);
  assert.equal(
    missing.stderr,
    "a.bpf.ts:4:12 - this kernel has no tracepoint sched:nothing\na.bpf.ts:3:10 - this kernel has no function vfs_raed\n",
  );
  const none = await types(scratch.path, ["none"]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /none cannot be read: ENOENT/);
  mkdirSync(scratch.file("empty"));
  assert.match((await types(scratch.path, ["empty"])).stderr, /There is no \*\.bpf\.ts file in empty\./);
  assert.equal((await types(scratch.path, ["--no-such"])).code, 2);
});
