// The numbers of the kernel's interface, against the running kernel's own BTF.
import assert from "node:assert/strict";
import { Helper } from "../../src/object/asm/index.ts";
import { AttachType, MapFlag, MapType, ProgramType } from "../../src/object/spec/index.ts";
import { LinkType } from "../../src/runtime/link/index.ts";
import { BpfCommand } from "../../src/runtime/sys/index.ts";
import { kernelEnum } from "../support/btf-enums.ts";
import { kernelTest } from "../support/kernel-test.ts";

const unless = kernelEnum("bpf_map_type") === undefined ? "the kernel has no BTF" : undefined;

/**
 * Every entry of ours that this kernel knows has its number, and the kernel has none that ours lacks but those in
 * `except`. `least` of ours are known, so that a misspelt name does not pass for one that is newer than the kernel.
 */
function check(
  table: Readonly<Record<string, number>>,
  enumName: string,
  nameOf: (name: string) => string,
  { least, except }: { readonly least: number; readonly except?: RegExp },
): void {
  const theirs = kernelEnum(enumName);
  assert.ok(theirs !== undefined && theirs.size > 0, `enum ${enumName}`);
  const ours = new Map(Object.entries(table).map(([name, number]) => [nameOf(name), number]));
  let known = 0;
  for (const [name, number] of ours) {
    if (!theirs.has(name)) continue;
    known++;
    assert.equal(number, theirs.get(name), name);
  }
  assert.ok(known >= least, `only ${known} of ${ours.size} are in the kernel's BTF`);
  if (except === undefined) return;
  const numbers = new Set(ours.values());
  const missing = [...theirs].filter(([name, number]) => !except.test(name) && !numbers.has(number));
  assert.deepEqual(missing, []);
}

kernelTest("map types have the kernel's numbers", { unless }, () => {
  const nameOf = (name: string) => `BPF_MAP_TYPE_${name.toUpperCase()}`;
  check(MapType, "bpf_map_type", nameOf, { least: 26, except: /_UNSPEC$|_INSN_ARRAY$|_RHASH$|^__MAX/ });
});

kernelTest("program types have the kernel's numbers", { unless }, () => {
  const nameOf = (name: string) => `BPF_PROG_TYPE_${name.toUpperCase()}`;
  check(ProgramType, "bpf_prog_type", nameOf, { least: 30, except: /_UNSPEC$|^__MAX/ });
});

kernelTest("attach types have the kernel's numbers", { unless }, () => {
  check(AttachType, "bpf_attach_type", (name) => `BPF_${name.toUpperCase()}`, {
    least: 38,
    except: /^__MAX|_FSESSION$|_(FENTRY|FEXIT|FSESSION)_MULTI$/,
  });
});

kernelTest("link types have the kernel's numbers", { unless }, () => {
  const nameOf = (name: string) => `BPF_LINK_TYPE_${name.toUpperCase()}`;
  check(LinkType, "bpf_link_type", nameOf, { least: 5, except: /_UNSPEC$|^__MAX|^MAX_/ });
});

kernelTest("helpers have the kernel's numbers", { unless }, () => {
  check(Helper, "bpf_func_id", (name) => `BPF_FUNC_${name}`, { least: 150, except: /_unspec$|^__BPF_FUNC_MAX/ });
});

kernelTest("commands and flags have the kernel's numbers", { unless }, () => {
  check(BpfCommand, "bpf_cmd", (name) => name, { least: 19 });
  check(MapFlag, "", (name) => `BPF_F_${name.toUpperCase()}`, { least: 11 });
});
