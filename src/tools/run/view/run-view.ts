import type { Layout } from "../../../sdk/index.ts";
import { json } from "../../text/index.ts";
import type { Losses } from "../losses.ts";
import type { Plan } from "../plan.ts";
import type { Result } from "../results.ts";
import { EventColumns } from "./event-columns.ts";
import { resultJson, resultsText } from "./results-text.ts";

/** How a run is shown: what each thing that happens becomes on the output, with its line ends. */
export interface RunView {
  readonly event: (ring: string, event: unknown) => string;
  /** A line that a program printed. */
  readonly line: (text: string) => string;
  /** What the maps came to, and what was lost and skipped. */
  readonly end: (results: readonly Result[], losses: Losses, skips: Losses) => string;
}

/** For people: events in columns, aggregations drawn. `most`: rows of each map. */
export function textView(plan: Plan, most: number): RunView {
  const several = plan.rings.length > 1;
  const name = Math.max(0, ...plan.rings.map((ring) => ring.name.length));
  const columns = new Map(
    plan.rings.map((ring) => [
      ring.name,
      new EventColumns(fieldsOf(ring.event), several ? ring.name.padEnd(name) : ""),
    ]),
  );
  let last = "";
  let empty = true;
  const comes = (what: string) => {
    // Events of another ring, or printed lines, came between: the columns are named again.
    if (last !== what && !several) columns.get(what)?.interrupt();
    last = what;
    empty = false;
  };
  return {
    event(ring, event) {
      comes(ring);
      return (columns.get(ring)?.lines(event) ?? []).map((line) => `${line}\n`).join("");
    },
    line(text) {
      comes("");
      return `${text}\n`;
    },
    end(results, losses, skips) {
      const parts = [resultsText(results, most), lossesText(losses, skips)].filter((text) => text !== "");
      return `${empty ? "" : "\n"}${parts.join("\n")}`;
    },
  };
}

/** What was lost, always said: nothing, or how much of what. */
function lossesText(losses: Losses, skips: Losses): string {
  const lost = Object.entries(losses).filter(([, count]) => count > 0);
  const missed = Object.entries(skips).filter(([, count]) => count > 0);
  const lines = [
    lost.length === 0 ? "lost: nothing" : `lost: ${lost.map(([name, count]) => `${count} of ${name}`).join(", ")}`,
    ...missed.map(([name, count]) => `skipped: ${name}, ${count} times (it was at work already on that CPU)`),
  ];
  return `${lines.join("\n")}\n`;
}

/** For programs: a JSON object for each event and printed line, then one for each map, then what was lost. */
export function jsonView(): RunView {
  return {
    event: (ring, event) => `${json({ ring, event })}\n`,
    line: (text) => `${json({ print: text })}\n`,
    end: (results, lost, skipped) => `${[...results.map(resultJson), json({ lost, skipped })].join("\n")}\n`,
  };
}

const DIGITS: Readonly<Record<string, number>> = { 1: 4, 2: 6, 4: 10, 8: 16 };

/** The fields of a ring's events with the columns that their values usually take. */
function fieldsOf(event: Layout | undefined): { name: string; width: number }[] {
  if (event === undefined) return [{ name: "record", width: 16 }];
  if (event.kind !== "struct") return [{ name: "value", width: 10 }];
  return event.fields.map(({ name, layout }) => ({
    name,
    width: layout.kind === "str" ? Math.min(layout.size, 24) : layout.kind === "bool" ? 5 : (DIGITS[layout.size] ?? 16),
  }));
}
