import { type BpfMap, mapDetails } from "../../../sdk/index.ts";
import {
  changeText,
  deleteEntry,
  type Entry,
  entriesOf,
  entryText,
  formatMap,
  formatMaps,
  getEntry,
  MAPS,
  type MapChange,
  openAll,
  openOne,
  readSelection,
  Snapshot,
  setEntry,
  type TypedMap,
  watchMap,
  withTypes,
} from "../../../tools/inspect/index.ts";
import { json } from "../../../tools/text/index.ts";
import { flat } from "../flat.ts";
import { orJsonError } from "../json-error.ts";
import { numberOption } from "../number-option.ts";
import { print, tellNewer, untilInterrupted } from "../print.ts";
import { type CommandWords, readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  interval: { type: "string", short: "i" },
  duration: { type: "string", short: "d" },
  mode: { type: "string" },
} as const;

const HELP = `skep map: the eBPF maps that there are, and what they hold

Usage: skep map list [--json]                 all maps, the programs that use them, and who holds them
       skep map show MAP                      all that the kernel tells of one
       skep map dump MAP                      all entries
       skep map get MAP KEY                   the value of a key
       skep map set MAP KEY VALUE [--mode M]  sets it
       skep map delete MAP KEY                removes it
       skep map watch MAP [-i S] [-d S]       what changes, look by look
       skep map pin MAP PATH                  keep one under a path of a bpffs

MAP is an id (7), a name, or a path where it is pinned; or, when that is unclear: id 7, name x, pinned /sys/fs/bpf/x.

Keys and values are decoded by the map's own types, where it has some: numbers, texts, structs as JSON ('{"a": 1, "b": 2}',
numbers beyond 2^53 in quotes). Without types they are bytes in hexadecimal (0a00ff, or '0a 00 ff'). Of per-CPU maps a value
is a list with one for each possible CPU. A word that begins with a dash stands behind --.

      --mode M           set: any (default), noexist (only a new key), exist (only one that is there)
  -i, --interval S       watch: seconds between two looks; 1 when left out
  -d, --duration S       watch: seconds; until Ctrl-C when left out
      --json             one JSON object; dump and watch one a line

It needs CAP_SYS_ADMIN. The exit code is 0 when all is well, 1 when not (get, delete: no such key), 2 for wrong options, 3 for
missing rights.

Examples:
  skep map dump calls
  skep map get name stats '{"pid": 42}'
  skep map watch 12 -i 0.5
`;

type Command = CommandWords<typeof OPTIONS>;

export function run(args: readonly string[]): Promise<number> {
  const command = readCommand("map", HELP, OPTIONS, args);
  if (typeof command === "number") return Promise.resolve(command);
  return orJsonError(command.values.json, () => map(command));
}

/** How many words each verb has behind the map. */
const WORDS: Readonly<Record<string, number>> = { show: 0, dump: 0, get: 1, set: 2, delete: 1, watch: 0, pin: 1 };

async function map(command: Command): Promise<number> {
  const { words, values, usage } = command;
  const [verb = "", ...rest] = words;
  if (verb === "list") {
    if (rest.length > 0) return usage("list takes no words: show tells of one map.");
    const snapshot = new Snapshot();
    const reports = snapshot.maps();
    if (values.json === true) print(json({ schema: "skep.maps/1", maps: reports.map(flat), notShown: snapshot.newer }));
    else {
      print(formatMaps(reports));
      tellNewer("map", snapshot.newer);
    }
    return 0;
  }
  const expected = Object.hasOwn(WORDS, verb) ? WORDS[verb] : undefined;
  if (expected === undefined)
    return usage(
      `Say what to do: list, ${Object.keys(WORDS)
        .join(", ")
        .replace(/, (\w+)$/, " or $1")}${verb === "" ? "" : `, not "${verb}"`}. skep map --help tells more.`,
    );
  const [selection, more] = readSelection(rest);
  if (more.length !== expected)
    return usage(
      `${verb} takes the map and ${["no more words", "one more word", "two more words"][expected]}, not ${more.length}.`,
    );
  if (verb === "show") {
    const found = openAll(MAPS, selection);
    try {
      show(found, values.json === true);
    } finally {
      for (const one of found) one.close();
    }
    return 0;
  }
  using chosen = openOne(MAPS, selection);
  const [key = "", value = ""] = more;
  if (verb === "pin") {
    chosen.pin(key);
    if (values.json === true) print(json({ schema: "skep.pin/1", id: mapDetails(chosen).id, path: key }));
    return 0;
  }
  const typed = withTypes(chosen);
  using _typed = typed.map;
  return await onEntries(verb, typed, key, value, command);
}

async function onEntries(verb: string, typed: TypedMap, key: string, value: string, command: Command): Promise<number> {
  const { values, usage } = command;
  const shown = (entry: Entry) => (values.json === true ? json(entry) : entryText(typed, entry));
  switch (verb) {
    case "dump":
      for (const entry of entriesOf(typed)) print(shown(entry));
      return 0;
    case "get": {
      const entry = getEntry(typed, key);
      if (entry === undefined) return noKey(typed, key, values.json === true);
      print(shown(entry));
      return 0;
    }
    case "set": {
      const { mode = "any" } = values;
      if (mode !== "any" && mode !== "noexist" && mode !== "exist")
        return usage(`--mode is any, noexist or exist, not "${mode}".`);
      setEntry(typed, key, value, mode);
      if (values.json === true) print(json({ schema: "skep.map-change/1", map: typed.details.id, set: key }));
      return 0;
    }
    case "delete":
      if (!deleteEntry(typed, key)) return noKey(typed, key, values.json === true);
      if (values.json === true) print(json({ schema: "skep.map-change/1", map: typed.details.id, deleted: key }));
      return 0;
    default:
      return await watch(typed, command);
  }
}

function noKey({ map: { name } }: TypedMap, key: string, asJson: boolean): number {
  const message = `Map "${name}" has no key ${key}.`;
  if (asJson) print(json({ schema: "skep.error/1", code: "SKEP_NO_KEY", message }));
  else process.stderr.write(`skep map: ${message}\n`);
  return 1;
}

function show(found: readonly BpfMap[], asJson: boolean): void {
  const snapshot = new Snapshot();
  const reports = found.map((one) => snapshot.map(one));
  if (asJson) for (const report of reports) print(json({ schema: "skep.map/1", ...flat(report) }));
  else print(reports.map(formatMap).join("\n\n"));
}

async function watch(typed: TypedMap, { values, usage }: Command): Promise<number> {
  const interval = numberOption("interval", values.interval, 1, 0.01);
  if (typeof interval === "string") return usage(interval);
  const duration = numberOption("duration", values.duration, Number.POSITIVE_INFINITY, 0);
  if (typeof duration === "string") return usage(duration);
  const interrupted = untilInterrupted();
  const signal = Number.isFinite(duration)
    ? AbortSignal.any([interrupted, AbortSignal.timeout(duration * 1000)])
    : interrupted;
  const line = (change: MapChange) =>
    values.json === true ? json({ time: new Date().toISOString(), ...change }) : changeText(typed, change);
  for await (const changes of watchMap(typed, { intervalMs: interval * 1000, signal })) {
    if (values.json !== true) print(new Date().toISOString().slice(11, 19));
    for (const change of changes) print(line(change));
  }
  return 0;
}
