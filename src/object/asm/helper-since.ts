import { Helper, type HelperName } from "./helper.ts";

/** Where each kernel's helpers begin: ids were given out in order, none was taken back (___BPF_FUNC_MAPPER of each release). */
const FIRST_IDS: readonly (readonly [id: number, kernel: string])[] = [
  [210, "6.2"],
  [208, "6.1"],
  [204, "6.0"],
  [194, "5.19"],
  [186, "5.18"],
  [180, "5.17"],
  [176, "5.16"],
  [169, "5.15"],
  [166, "5.14"],
  [164, "5.13"],
  [163, "5.12"],
  [156, "5.11"],
  [142, "5.10"],
  [136, "5.9"],
  [125, "5.8"],
  [119, "5.7"],
  [116, "5.6"],
  [111, "5.5"],
];

/** The first kernel with a helper; undefined for those from before Linux 5.5. What programs may call it is another question. */
export function helperSince(name: HelperName): string | undefined {
  return FIRST_IDS.find(([first]) => Helper[name] >= first)?.[1];
}
