import { type Btf, describeType, printC } from "../../sdk/index.ts";

/** Every own type of the table, as `bpftool btf dump format raw` shows it. */
export function* rawLines(btf: Btf): IterableIterator<string> {
  for (let id = btf.firstId; id < btf.endId; id++) yield* describeType(btf, id);
}

const HEAD = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;
const TAIL = `
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif
`;

/** A header of all types, to be included by eBPF programs (`vmlinux.h`): their fields are relocated (CO-RE). */
export function header(btf: Btf): string {
  return `${HEAD}${printC(btf)}${TAIL}`;
}
