import { table } from "../text/index.ts";
import type { HotswapReport, Spread } from "./run.ts";

const number = (value: number) => Math.round(value).toLocaleString("en");
const milliseconds = (nanoseconds: number) => `${(nanoseconds / 1e6).toFixed(3)} ms`;
const times = ({ p50, p99, max }: Spread) =>
  `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}, at most ${milliseconds(max)}`;

/** The report for people. */
export function formatHotswap(report: HotswapReport): string {
  const { calls, rate, replacements, versions, missed, doubled, broken } = report;
  return `${table(
    [
      ["calls", `${number(calls)}, ${number(rate)} a second`],
      ["replacements", `${number(replacements)}; ${number(versions)} versions saw calls`],
      ["missed", number(missed)],
      ["seen twice", number(doubled)],
      ["broken pairs", number(broken)],
      ["switched in", times(report.switch)],
      ["in force after", `${times(report.effective)} (from the request to the first call seen)`],
    ],
    "",
  )}\n`;
}
