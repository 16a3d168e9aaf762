// The measuring itself: columns run interleaved, round by round, and what came out is set beside the goals.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPeer, PeerMissing, SUITES } from "./peer-root.js";
import { median, medianRatio, show } from "./stats.js";
import { table } from "./table.js";

/**
 * @typedef {Record<string, number>} Values what one run of a column gives, by metric
 * @typedef {object} Column
 * @property {string} id how goals name it
 * @property {string} title
 * @property {keyof typeof SUITES} [peer] the root it needs; without it the column is left out and the table says why
 * @property {() => Promise<Values> | Values} run one run
 *
 * @typedef {object} Metric
 * @property {string} title with its unit: "ns/record"
 * @property {"median" | "min"} [of] what the table shows of the rounds; the median when left out
 *
 * @typedef {object} Goal
 * @property {string} metric
 * @property {string} column
 * @property {number} atMost
 * @property {string} [of] the column it is compared with: `atMost` is then a ratio
 * @property {string} [floor] a column whose own ratio is told where the goal is missed: nobody can be much below it
 *
 * @typedef {object} Measure
 * @property {string} name
 * @property {string} [note] a line under the heading: what is done in it
 * @property {readonly Column[]} columns
 * @property {Record<string, Metric>} metrics
 * @property {readonly Goal[]} [goals]
 * @property {number} [rounds]
 * @property {string} [base] the column that ratios are shown to
 */

export class Bench {
  #only;
  #rounds;
  #log;
  #peers = new Map();
  #results = [];
  #failures = 0;
  #goals = { met: 0, missed: 0, unmeasured: 0 };
  /** Where roots, builds and results lie. */
  cache;

  /** @param {{ cache: string, only: readonly string[], rounds?: number, log: (line: string) => void }} options */
  constructor({ cache, only, rounds, log }) {
    this.cache = cache;
    this.#only = only;
    this.#rounds = rounds;
    this.#log = log;
  }

  /**
   * The peers of one suite, made where they are not there yet; undefined, with the reason kept, when they cannot be had.
   * @param {keyof typeof SUITES} name
   */
  peer(name) {
    let entry = this.#peers.get(name);
    if (entry === undefined) {
      try {
        entry = { peer: openPeer(this.cache, name, this.#log) };
      } catch (error) {
        if (!(error instanceof PeerMissing)) throw error;
        entry = { missing: error.message };
      }
      this.#peers.set(name, entry);
    }
    return entry.peer;
  }

  /** Why a suite's peers are missing. @param {keyof typeof SUITES} name */
  missing(name) {
    return this.#peers.get(name)?.missing;
  }

  /**
   * One part of a bench, run when it is asked for by name or when none is.
   * @param {string} name @param {() => Promise<void>} body
   */
  async part(name, body) {
    if (this.#only.length === 0 || this.#only.includes(name)) await body();
  }

  /** Runs the columns A B C, C B A, … and prints the table. @param {Measure} measure */
  async measure(measure) {
    const rounds = this.#rounds ?? measure.rounds ?? 5;
    const absent = new Map();
    for (const { id, peer } of measure.columns) {
      if (peer !== undefined && this.peer(peer) === undefined) absent.set(id, this.missing(peer));
    }
    const values = new Map(measure.columns.map(({ id }) => [id, []]));
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? measure.columns : [...measure.columns].reverse();
      for (const column of order) {
        if (absent.has(column.id)) continue;
        try {
          values.get(column.id).push(await column.run());
        } catch (error) {
          this.#failures++;
          absent.set(column.id, `failed: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
    for (const id of absent.keys()) values.set(id, []);
    this.#print(measure, values, absent, rounds);
    const raw = Object.fromEntries(values);
    const goals = (measure.goals ?? []).map((goal) => ({ ...goal, ...this.#judge(goal, values) }));
    this.#results.push({ name: measure.name, rounds, values: raw, missing: Object.fromEntries(absent), goals });
  }

  /**
   * A table of what is counted, not timed: once is enough.
   * @param {object} counted
   * @param {string} counted.name
   * @param {string} [counted.note]
   * @param {readonly (readonly string[])[]} counted.rows the first is the heading
   * @param {readonly string[]} [counted.remarks] lines under the table
   * @param {readonly string[]} [counted.failures] what could not be counted
   * @param {readonly { what: string, value: number | undefined, atMost: number }[]} counted.goals
   * @param {unknown} counted.raw
   */
  count({ name, note, rows, remarks = [], failures = [], goals, raw }) {
    this.#log(`\n${name}`);
    if (note !== undefined) this.#log(note);
    this.#log(table(rows));
    for (const line of [...remarks, ...failures]) this.#log(`  ${line}`);
    this.#failures += failures.length;
    const judged = goals.map(({ what, value, atMost }) => {
      const met = value === undefined || !Number.isFinite(value) ? undefined : value <= atMost;
      this.#goals[met === undefined ? "unmeasured" : met ? "met" : "missed"]++;
      const verdict = met === undefined ? "not measured" : `${met ? "met" : "NOT MET"}: ${show(value)}`;
      this.#log(`  goal: ${what} ≤ ${atMost} — ${verdict}`);
      return { what, value, atMost, met };
    });
    this.#results.push({ name, values: raw, goals: judged });
  }

  #print(measure, values, absent, rounds) {
    const metrics = Object.entries(measure.metrics);
    const { base } = measure;
    const first = metrics[0][0];
    const heading = [`${rounds} rounds`, ...metrics.map(([, { title }]) => title)];
    if (base !== undefined) heading.push(`× ${measure.columns.find(({ id }) => id === base).title}`);
    const rows = measure.columns.map(({ id, title }) => {
      const runs = values.get(id);
      const cells = metrics.map(([key, { of }]) => {
        const all = runs.map((run) => run[key]).filter((value) => value !== undefined);
        if (all.length === 0) return "—";
        return show(of === "min" ? Math.min(...all) : median(all));
      });
      if (base !== undefined) cells.push(id === base ? "1" : show(this.#ratio(values, id, base, first)));
      return [title, ...cells];
    });
    this.#log(`\n${measure.name}`);
    if (measure.note !== undefined) this.#log(measure.note);
    this.#log(table([heading, ...rows]));
    for (const { id, title } of measure.columns)
      if (absent.has(id)) this.#log(`  no column "${title}": ${absent.get(id)}`);
    for (const goal of measure.goals ?? []) {
      const { value, met } = this.#judge(goal, values);
      this.#goals[met === undefined ? "unmeasured" : met ? "met" : "missed"]++;
      const name = (of) => measure.columns.find(({ id }) => id === of).title;
      const what = `${name(goal.column)}, ${measure.metrics[goal.metric].title}`;
      const limit = `≤ ${goal.atMost < 0.1 && goal.atMost > 0 ? `1/${Math.round(1 / goal.atMost)}` : goal.atMost}${goal.of === undefined ? "" : ` × ${name(goal.of)}`}`;
      const small = goal.of !== undefined && goal.atMost < 0.1;
      const verdict =
        met === undefined
          ? "not measured"
          : `${met ? "met" : "NOT MET"}: ${small ? `1/${show(1 / value)}` : show(value)}`;
      const floor =
        met === false && goal.floor !== undefined ? this.#ratio(values, goal.floor, goal.of, goal.metric) : NaN;
      const beside = Number.isFinite(floor) ? ` (${name(goal.floor)} itself: ${show(floor)})` : "";
      this.#log(`  goal: ${what} ${limit} — ${verdict}${beside}`);
    }
  }

  #ratio(values, column, of, metric) {
    const pick = (id) => values.get(id).map((run) => run[metric]);
    return medianRatio(pick(column), pick(of));
  }

  #judge(goal, values) {
    const runs = values.get(goal.column).map((run) => run[goal.metric]);
    if (runs.length === 0) return { value: undefined, met: undefined };
    const value = goal.of === undefined ? median(runs) : this.#ratio(values, goal.column, goal.of, goal.metric);
    return Number.isFinite(value) ? { value, met: value <= goal.atMost } : { value: undefined, met: undefined };
  }

  /** Prints the count of goals and writes the raw numbers; the path of the file. */
  finish(name, machine) {
    const { met, missed, unmeasured } = this.#goals;
    const dir = join(this.cache, "results");
    mkdirSync(dir, { recursive: true });
    const file = join(dir, `${name}-${new Date().toISOString().replace(/[:.]/g, "-")}.json`);
    const peers = Object.fromEntries(
      [...this.#peers].map(([key, { peer, missing }]) => [key, missing ?? peer.versions]),
    );
    writeFileSync(file, `${JSON.stringify({ bench: name, machine, peers, results: this.#results }, null, 1)}\n`);
    this.#log(`\n${met} goals met, ${missed} not met${unmeasured > 0 ? `, ${unmeasured} not measured` : ""}`);
    return { file, failures: this.#failures };
  }

  /** The peers in use, for the heading. */
  describePeers() {
    return [...this.#peers].map(([name, { peer, missing }]) =>
      missing === undefined
        ? `${peer.title}: ${Object.entries(peer.versions)
            .map(([what, version]) => `${what} ${version}`)
            .join(", ")}`
        : `${SUITES[name].title}: missing, ${missing}`,
    );
  }
}
