// Objects that leave something to the loader, or that a stricter one would not take.
import assert from "node:assert/strict";
import { Opcode } from "../../src/object/asm/index.ts";
import { Btf, BtfEdit } from "../../src/object/btf/index.ts";
import { KeyedMap, loadObject, type ObjectSpec, type ProgramSpec } from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";

const file = (name: string): ObjectSpec => fixture(`${name}.el`);

const returning = (imm: number): ProgramSpec["instructions"] => [
  // r0 = imm
  { opcode: 0xb7, dst: 0, src: 0, offset: 0, imm },
  { opcode: Opcode.EXIT, dst: 0, src: 0, offset: 0, imm: 0 },
];

/** The object, with types that the kernel refuses: a parameter of a global function has no name. */
function withRefusedTypes(spec: ObjectSpec, program: string): ObjectSpec {
  const { btf } = spec;
  const id = btf?.find(program, "function");
  const type = id === undefined ? undefined : btf?.type(id);
  assert.ok(btf !== undefined && type?.kind === "function");
  const edit = new BtfEdit(btf.bytes);
  edit.set(type.type, 12, 0);
  return { ...spec, btf: Btf.parse(edit.bytes()) };
}

kernelTest("an object whose types the kernel refuses is loaded without them", () => {
  const spec = withRefusedTypes(file("refused"), "not_tested");
  const one: ProgramSpec = { type: "socket_filter", license: "GPL", instructions: returning(3) };
  using object = loadObject({ ...spec, maps: {}, programs: { one } });
  assert.equal(object.programs["one"]?.testRun({ data: new Uint8Array(14) }).retval, 3);
});

kernelTest("what the kernel says of an object's types is the cause of an error that comes of it", () => {
  const spec = withRefusedTypes(file("refused"), "not_tested");
  assert.throws(
    () => loadObject(spec, { programs: ["not_tested"] }),
    (error: Error) =>
      error.name === "VerifierError" && /load the types of the object.*Invalid arg#1/.test(String(error.cause)),
  );
});

kernelTest("a program of no known kind is loaded when its type is given", () => {
  const spec = file("refused");
  const program: ProgramSpec = {
    type: "unspec",
    section: "redirect",
    license: "GPL",
    instructions: returning(7),
  };
  const typed = (type: ProgramSpec["type"]): ObjectSpec => ({
    ...spec,
    maps: {},
    programs: { one: { ...program, type } },
  });
  assert.throws(() => loadObject(typed("unspec")), { code: "SKEP_OBJECT", message: /section "redirect".*no kind/ });
  using object = loadObject(typed("socket_filter"));
  assert.equal(object.programs["one"]?.testRun({ data: new Uint8Array(14) }).retval, 7);
});

kernelTest("a program that must attach to something and does not say to what is refused in a sentence", () => {
  const program = { license: "GPL", instructions: [] };
  const load = (one: Partial<ProgramSpec> & Pick<ProgramSpec, "type">) => () =>
    loadObject({ maps: {}, programs: { one: { ...program, ...one } } });
  const code = "SKEP_OBJECT";
  assert.throws(load({ type: "tracing", expectedAttachType: "trace_fentry" }), { code, message: /does not say what/ });
  assert.throws(load({ type: "lsm", expectedAttachType: "lsm_mac", attachTo: "" }), { code, message: /does not say/ });
  assert.throws(load({ type: "ext", attachTo: "f" }), { code, message: /replaces a function of another program/ });
});

kernelTest("rings inside a map of maps get whole pages, too", { kernel: "5.8", map: "ringbuf" }, () => {
  const inner = { type: "ringbuf", keySize: 0, valueSize: 0, maxEntries: 1000 } as const;
  const outer = { type: "array_of_maps", keySize: 4, valueSize: 4, maxEntries: 1, inner } as const;
  loadObject({ maps: { outer }, programs: {} }).close();
});

kernelTest("what a program throws arrives at its function for it", { kernel: "6.7" }, () => {
  using object = loadObject(file("throws"));
  assert.equal(object.programs["thrower"]?.testRun({ data: new Uint8Array(64) }).retval, 42);
});

kernelTest("maps whose types the kernel takes nowhere are made without them", () => {
  using object = loadObject(file("oddmaps"), { pinPath: false });
  const { by_enum: byEnum, untyped_key: untyped } = object.maps;
  assert.ok(byEnum instanceof KeyedMap && untyped instanceof KeyedMap);
  byEnum.set(1, 5n);
  assert.equal(object.programs["look"]?.testRun({ data: new Uint8Array(64) }).retval, 5);
  untyped.set(Uint8Array.of(1, 2, 3, 4), { a: 1, b: 2 });
  assert.deepEqual(untyped.get(Uint8Array.of(1, 2, 3, 4)), { a: 1, b: 2 });
});

kernelTest("a load that fails at its end leaves no descriptor open", () => {
  const spec = file("maps");
  // A variable of a function's type has no size.
  const type = spec.btf?.find("entry", "function");
  const variables = { ...spec.variables, jumped: { map: ".bss", offset: 0, size: 8, type: type ?? 0 } };
  for (let i = 0; i < 3; i++)
    assert.throws(() => loadObject({ ...spec, variables }, { pinPath: false }), { code: "SKEP_BTF" });
});

kernelTest("a map may be called anything", () => {
  const maps = JSON.parse('{ "__proto__": { "type": "array", "keySize": 4, "valueSize": 8, "maxEntries": 1 } }');
  using object = loadObject({ maps, programs: {} });
  assert.deepEqual(Object.keys(object.maps), ["__proto__"]);
});
