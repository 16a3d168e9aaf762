import { formatLink, formatLinks, LINKS, openOne, readSelection, Snapshot } from "../../../tools/inspect/index.ts";
import { json } from "../../../tools/text/index.ts";
import { flat } from "../flat.ts";
import { orJsonError } from "../json-error.ts";
import { print } from "../print.ts";
import { type CommandWords, readCommand } from "../read-command.ts";

const OPTIONS = { help: { type: "boolean", short: "h" }, json: { type: "boolean" } } as const;

const HELP = `skep link: what eBPF programs are attached to

Usage: skep link list [--json]     all links, what they are attached to, and who holds them
       skep link show LINK         all that the kernel tells of one
       skep link detach LINK       detaches it at once, whoever holds it (cgroup, netns, XDP, tcx, netkit, sockmap)
       skep link pin LINK PATH     keep it under a path of a bpffs

LINK is an id (7) or a path where it is pinned; or id 7, pinned /sys/fs/bpf/x. Attachments without a link (filters of tc, perf
events before Linux 5.15) have none here.

      --json             one JSON object

It needs Linux 5.8 and CAP_SYS_ADMIN. The exit code is 0 when all is well, 1 when not (the sentence says why), 2 for wrong
options, 3 for missing rights.

Examples:
  skep link list
  skep link detach 12
`;

type Command = CommandWords<typeof OPTIONS>;

export function run(args: readonly string[]): Promise<number> {
  const command = readCommand("link", HELP, OPTIONS, args);
  if (typeof command === "number") return Promise.resolve(command);
  return Promise.resolve(orJsonError(command.values.json, () => link(command)));
}

function link({ words, values, usage }: Command): number {
  const [verb = "", ...rest] = words;
  const asJson = values.json === true;
  if (verb === "list") {
    if (rest.length > 0) return usage("list takes no words: show tells of one link.");
    const reports = new Snapshot().links();
    print(asJson ? json({ schema: "skep.links/1", links: reports.map(flat) }) : formatLinks(reports));
    return 0;
  }
  if (verb !== "show" && verb !== "detach" && verb !== "pin")
    return usage(
      `Say what to do: list, show, detach or pin${verb === "" ? "" : `, not "${verb}"`}. skep link --help tells more.`,
    );
  const [selection, more] = readSelection(rest);
  if (selection.by === "name" || selection.by === "tag")
    return usage(`Links have no names: give an id, or the path where it is pinned, not "${rest[0]}".`);
  const [path, ...others] = more;
  if ((verb === "pin") !== (path !== undefined) || others.length > 0)
    return usage(verb === "pin" ? "Say which link, and one path to pin it at." : `${verb} takes one link.`);
  using chosen = openOne(LINKS, selection);
  if (verb === "show") {
    const report = new Snapshot().link(chosen);
    print(asJson ? json({ schema: "skep.link/1", ...flat(report) }) : formatLink(report));
    return 0;
  }
  if (verb === "detach") chosen.detach();
  else chosen.pin(path as string);
  if (asJson) print(json({ schema: `skep.${verb}/1`, id: chosen.details().id, ...(path !== undefined && { path }) }));
  return 0;
}
