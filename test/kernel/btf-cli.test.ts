// skep btf, skep gen and skep compile: what they print, write and return.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadObject } from "../../src/sdk/index.ts";
import { environment, root, run, Scratch, skep } from "../support/cli.ts";
import { hostTest, kernelTest } from "../support/kernel-test.ts";

const object = (name: string) => join(root, "test", "fixtures", "objects", `${name}.o`);

hostTest("skep btf find tells of types and of fields where they are", async () => {
  const { code, stdout, stderr } = await skep([
    "btf",
    "find",
    "list_head",
    "task_struct.tasks.next",
    "enum bpf_map_type",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^struct list_head \{ {2}\/\/ 16 bytes\n {2}struct list_head \*next; {2}\/\/ 0, 8\n/);
  assert.match(stdout, /^struct list_head \*next; {2}at \d+, 8 bytes$/m);
  assert.match(stdout, /^ {2}BPF_MAP_TYPE_HASH = 1,$/m);
  // Through unnamed members, and bit by bit.
  const json = JSON.parse((await skep(["btf", "find", "--json", "sk_buff.pkt_type"])).stdout);
  assert.deepEqual([json.schema, json.kind, json.fields[0].bits], ["skep.btf-type/1", "field", 3]);
  const missing = await skep(["btf", "find", "task_structs", "task_struct.no_such_field"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /There is no type "task_structs"/);
  assert.match(missing.stderr, /task_struct has no field "no_such_field" \(it has: thread_info, /);
  const own = await skep(["btf", "find", "-f", object("maps.el"), "key"]);
  assert.equal(own.stdout, "struct key {  // 16 bytes\n  u32 a;  // 0, 4\n  u64 b;  // 8, 8\n};\n");
  for (const [args, words] of [
    [["btf"], /find or dump/],
    [["btf", "find"], /Name what to find/],
    [["btf", "dump", "--format", "x"], /c or raw/],
    [["btf", "find", "--none", "x"], /--none/],
  ] as const) {
    const refused = await skep([...args]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, words);
  }
});

kernelTest("skep btf dump prints what bpftool prints", { command: "bpftool" }, async () => {
  const ours = await skep(["btf", "dump", "-f", object("maps.el"), "--format", "raw"]);
  const theirs = await run(["bpftool", "btf", "dump", "file", object("maps.el"), "format", "raw"]);
  assert.equal(theirs.code, 0, theirs.stderr);
  // Sections have the sizes and places that the compiler left to be filled in.
  const types = (text: string) => text.split("\n").filter((line) => /^\[/.test(line) && !line.includes(" DATASEC "));
  assert.deepEqual(types(ours.stdout), types(theirs.stdout));
  assert.match(ours.stdout, /DATASEC '\.bss' size=24 vlen=3\n\ttype_id=\d+ offset=0 size=8 \(VAR 'jumped'\)/);
});

hostTest(
  "skep compile makes objects with the kernel's types, and skep gen types them",
  { command: "clang" },
  async () => {
    using scratch = new Scratch();
    const source = scratch.file("mine.bpf.c");
    writeFileSync(
      source,
      `#include "vmlinux.h"
#define SEC(name) __attribute__((section(name), used))
static u64 (*current_task)(void) = (void *)35;
static long (*read_kernel)(void *to, u32 size, const void *from) = (void *)113;
struct counted { u32 tgid; char comm[16]; enum bpf_map_type type; };
struct { int (*type)[1]; u32 *key; struct counted *value; int (*max_entries)[4]; } seen SEC(".maps");
int tgid;
SEC("raw_tp/sys_enter") int look(void *context) {
  struct task_struct *task = (void *)current_task();
  read_kernel(&tgid, sizeof(tgid), &task->tgid);
  return 0;
}
char _license[] SEC("license") = "Dual MIT/GPL";
`,
    );
    const { code, stderr } = await skep(["compile", source]);
    const made = scratch.file("mine.bpf.o");
    assert.equal(code, 0, stderr);
    assert.ok(existsSync(made));
    // Without DWARF, which is several times as much.
    assert.ok(statSync(made).size < 400_000, `${statSync(made).size} bytes`);
    using loaded = loadObject(made);
    assert.deepEqual(Object.keys(loaded.programs), ["look"]);
    assert.equal((await skep(["gen", made])).code, 0);
    const types = readFileSync(scratch.file("mine.bpf.d.ts"), "utf8");
    assert.match(
      types,
      /export interface counted \{\n {2}tgid: number;\n {2}comm: string;\n {2}type: bpf_map_type;\n\}/,
    );
    assert.match(types, /\/\*\* `enum bpf_map_type`: BPF_MAP_TYPE_UNSPEC = 0, BPF_MAP_TYPE_HASH = 1, /);
    assert.match(types, /readonly seen: KeyedMap<number, counted>;/);
    assert.match(types, /readonly tgid: TypedVariable<number>;/);
    // What clang does not take is told with its words; the object that was there stays.
    const before = readFileSync(made);
    writeFileSync(source, `#include <bpf/none_of_these.h>\nint x = ;\n`);
    const refused = await skep(["compile", source]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /clang does not take .*<bpf\/none_of_these\.h> is libbpf's: install it/s);
    assert.deepEqual(readFileSync(made), before);
  },
);

hostTest(
  "skep compile takes paths as they are meant where it is called, whatever folder the source is in",
  { command: "clang" },
  async () => {
    using scratch = new Scratch();
    for (const folder of ["headers", "sources"]) mkdirSync(scratch.file(folder));
    writeFileSync(scratch.file("headers/answer.h"), "#define ANSWER 42\n");
    writeFileSync(
      scratch.file("sources/x.bpf.c"),
      `#include <answer.h>\n__attribute__((section("socket"), used)) int look(void *context) { return ANSWER; }\n`,
    );
    writeFileSync(scratch.file("mine"), `#!/bin/sh\nexec clang "$@"\n`, { mode: 0o755 });
    const words = ["-I", "headers", "-o", "made.o", "sources/x.bpf.c"];
    const { code, stderr } = await skep(["compile", ...words], {
      cwd: scratch.path,
      env: environment({ CLANG: "./mine" }),
    });
    assert.equal(code, 0, stderr);
    const listing = await skep(["object", "show", "-d", "look", "made.o"], { cwd: scratch.path });
    assert.match(listing.stdout, /return ANSWER; \}? @ \.\/x\.bpf\.c:2\n {2}.*42/);
    // Without the folder it is not found, and the object that was there stays.
    const before = readFileSync(scratch.file("made.o"));
    const refused = await skep(["compile", "-o", "made.o", "sources/x.bpf.c"], { cwd: scratch.path });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /'answer\.h' file not found/);
    assert.deepEqual(readFileSync(scratch.file("made.o")), before);
  },
);

hostTest("skep gen writes the same types again", async () => {
  const { stdout } = await skep(["gen", join(root, "examples/calls.bpf.o"), "-o", "-"]);
  assert.equal(stdout, readFileSync(join(root, "examples/calls.bpf.d.ts"), "utf8"));
  const refused = await skep(["gen"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /Name one object file/);
  assert.match((await skep(["gen", "x.o", "-n", "1x"])).stderr, /"1x" is no name of an interface/);
});

hostTest("skep compile says what is missing without clang", async () => {
  const { code, stderr } = await run([
    "env",
    "CLANG=/no/such/clang",
    process.execPath,
    join(root, "bin/skep.js"),
    "compile",
    join(root, "examples/calls.bpf.c"),
    "-o",
    "/dev/null",
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /There is no clang \("\/no\/such\/clang"\): install it \(Debian, Ubuntu: apt install clang/);
});
