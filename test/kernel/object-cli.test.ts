// skep object: what it prints and returns.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, Scratch, skep } from "../support/cli.ts";
import { kernelTest } from "../support/kernel-test.ts";

const object = (name: string) => join(root, "test", "fixtures", "objects", `${name}.o`);

kernelTest("skep object show lists programs, maps, variables and externs", async () => {
  const { code, stdout, stderr } = await skep(["object", "show", object("core.el")]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /on_enter +raw_tp\/sys_enter +\d+ instructions +calls add_twice, add, hidden_add, 17 CO-RE/);
  assert.match(stdout, /\.data\.own +array +4 → 4 bytes +1 entries +mmapable/);
  assert.match(stdout, /wanted +\.rodata\+0 +4 bytes/);
  assert.match(stdout, /no_such_symbol_of_the_kernel +symbol +weak/);
  const json = JSON.parse((await skep(["object", "show", "--json", object("maps.eb")])).stdout);
  assert.equal(json.schema, "skep.object/1");
  assert.equal(json.byteOrder, "big");
  const listing = await skep(["object", "show", "-d", "poisoned", object("core.el")]);
  assert.match(listing.stdout, /; return value; @ .*core\.bpf\.c:101\n {2}r0 = \*\(u32 \*\)\(r10 - 4\)\n {2}exit/);
});

kernelTest("skep object check fits programs to this kernel and loads nothing", async () => {
  const { code, stdout } = await skep(["object", "check", object("core.el")]);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /ok +poisoned +as long as it does not reach what this kernel lacks: struct task_struct\.no_such_field/,
  );
  const json = JSON.parse((await skep(["object", "check", "--json", object("core.el")])).stdout);
  assert.equal(json.fits, true);
  // Types that have nothing of what the object wants: it still fits, as all of it is guarded or poisoned.
  const other = await skep(["object", "check", object("core.eb")]);
  assert.equal(other.code, 1);
  assert.match(other.stdout, /no +on_enter +The object was compiled for big-endian machines/);
});

kernelTest("skep object load says what the kernel took, or why it did not", async () => {
  const { code, stdout } = await skep(["object", "load", object("core.el")]);
  assert.equal(code, 0);
  assert.match(stdout, /the kernel took 1 program and 4 maps/);
  const refused = await skep(["object", "load", "-p", "poisoned", object("core.el")]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^skep: The verifier refused program "poisoned"/);
  const json = await skep(["object", "load", "--json", "-p", "poisoned", object("core.el")]);
  assert.equal(json.code, 1);
  assert.equal(JSON.parse(json.stdout).schema, "skep.error/1");
});

kernelTest("the reader of what skep prints goes away: that is its end, not an error", async () => {
  const file = object("core.el");
  for (const args of [
    ["object", "show", file],
    ["object", "show", "--json", "none.o"],
    ["object", "--help"],
    ["btf", "dump", "--file", file],
    ["btf", "find", "--file", file, "int"],
    ["gen", "--output", "-", file],
  ]) {
    const { code, stderr } = await skep(args, { started: (child) => void child.stdout?.destroy() });
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  }
});

kernelTest("skep object refuses what is no object, in a sentence", async () => {
  using scratch = new Scratch();
  const cut = scratch.file("cut.o");
  writeFileSync(cut, readFileSync(object("core.el")).subarray(0, 2000));
  for (const [file, words] of [
    [cut, /skep: .*cut short/],
    [process.execPath, /skep: The file is for machine \d+/],
    [scratch.file("none.o"), /skep: ENOENT: no such file/],
  ] as const) {
    const { code, stderr } = await skep(["object", "show", file]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
    assert.doesNotMatch(stderr, /^ {4}at /m);
  }
  assert.equal((await skep(["object", "shaw", cut])).code, 2);
  assert.equal((await skep(["object", "show"])).code, 2);
  assert.equal((await skep(["object", "--tea"])).code, 2);
});
