import { columns } from "./rows.ts";

/** How long a pass of the compiler took. */
export interface Timing {
  readonly pass: string;
  readonly ms: number;
}

/** The passes in their order, with what each took of the whole. */
export function timingsText(timings: readonly Timing[]): string {
  const total = timings.reduce((sum, { ms }) => sum + ms, 0);
  const part = (ms: number) => (total === 0 ? "" : `${Math.round((ms * 100) / total)}%`);
  const rows = [...timings, { pass: "together", ms: total }].map(({ pass, ms }) => [
    pass,
    `${ms.toFixed(3)} ms`,
    part(ms),
  ]);
  return columns(rows, [false, true, true]).join("\n");
}
