// The pages of the reference as Markdown, from what read.js found. The same input gives the same bytes.
import { pageFor } from "./pages.js";

/** Signatures longer than this are folded away: tables of constants. */
const FOLDED_LINES = 24;

/** Returns the pages' texts by file name. */
export function writePages({ modules, things }) {
  const pages = new Map();
  for (const thing of things) {
    const { page, title } = pageFor(thing.path, thing.exportedBy[0].module);
    const found = pages.get(page) ?? { page, title, things: [] };
    found.things.push(thing);
    pages.set(page, found);
    thing.page = page;
  }
  const sorted = [...pages.values()].sort((a, b) => compare(a.page, b.page));
  for (const page of sorted) {
    page.things.sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()) || compare(a.name, b.name));
    giveAnchors(page.things);
  }
  const byName = new Map(things.map((thing) => [thing.name, thing]));
  const files = new Map(sorted.map((page) => [`${page.page}.md`, writePage(page, byName)]));
  files.set("README.md", writeIndex(modules, sorted));
  return files;
}

/** By code units: the same on every machine, whatever its language. */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** As GitHub makes them of headings: lower case, and numbered where two are the same. */
function giveAnchors(things) {
  const used = new Map();
  for (const thing of things) {
    const anchor = thing.name.toLowerCase();
    const count = used.get(anchor) ?? 0;
    used.set(anchor, count + 1);
    thing.anchor = count === 0 ? anchor : `${anchor}-${count}`;
  }
}

const GENERATED = "<!-- Written by npm run reference from the doc comments in src/: change them, not this page. -->";

function writeIndex(modules, pages) {
  const lines = [
    GENERATED,
    "",
    "# Reference",
    "",
    "Every export of the package, by what it is for; each page begins with a table of what stands on it. How the parts work",
    "together is told in the guides beside this folder: [maps](../maps.md), [objects](../objects.md), [probes](../probes.md),",
    "[inspect](../inspect.md), [testing](../testing.md), [trace](../trace.md), [rights](../privileges.md).",
  ];
  for (const { name, text } of modules) {
    lines.push("", `## \`${name}\``, "", escapeText(text), "");
    for (const { page, title, things } of pages) {
      const own = things.filter(({ exportedBy }) => exportedBy.some(({ module }) => module === name));
      if (own.length > 0) lines.push(`- [${title}](${page}.md): ${own.length} exports`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function writePage({ page, title, things }, byName) {
  const lines = [GENERATED, "", `# ${title}`, "", "[All pages](README.md)", "", "| | | |", "|---|---|---|"];
  for (const thing of things) {
    const text = linked(firstSentence(thing.text), thing, byName).replaceAll("|", "\\|");
    lines.push(`| [\`${thing.name}\`](#${thing.anchor}) | ${thing.kind} | ${text} |`);
  }
  for (const thing of things) lines.push("", ...writeThing(thing, page, byName));
  return `${lines.join("\n")}\n`;
}

function writeThing(thing, page, byName) {
  const own = thing.exportedBy.map(({ module, as }) =>
    as === thing.name ? `\`${module}\`` : `\`${module}\` (as \`${as}\`)`,
  );
  const lines = [
    `### \`${thing.name}\``,
    "",
    `${thing.kind[0].toUpperCase()}${thing.kind.slice(1)} of ${list(own)}.`,
    "",
  ];
  const code = thing.declarations.map(({ signature }) => publicName(signature, thing.name)).join("\n");
  const isLong = code.split("\n").length > FOLDED_LINES;
  if (isLong) lines.push("<details><summary>Its declaration</summary>", "");
  lines.push("```ts", code, "```", "");
  if (isLong) lines.push("</details>", "");
  const texts = [...new Set(thing.declarations.map(({ text }) => text).filter((text) => text !== ""))];
  for (const text of texts) lines.push(linked(text, thing, byName), "");
  for (const { signature, text } of thing.declarations.flatMap(({ members }) => members)) {
    const words = text === "" ? "" : `: ${linked(text, thing, byName)}`;
    lines.push(`- ${codeSpan(signature)}${indent(words)}`);
  }
  const uses = thing.uses
    .filter((other) => other !== thing)
    .sort((a, b) => compare(a.name, b.name))
    .map((other) => link(other, page));
  if (lines.at(-1) !== "") lines.push("");
  if (uses.length > 0) lines.push(`Named here: ${uses.join(", ")}.`, "");
  return lines.slice(0, -1);
}

/** A declaration by the name it is exported as. */
function publicName(signature, name) {
  return signature.replace(/^((?:abstract )?(?:function|class|interface|type|const|let|enum) )[\w$]+/, `$1${name}`);
}

const link = (thing, from) => `[\`${thing.name}\`](${thing.page === from ? "" : `${thing.page}.md`}#${thing.anchor})`;

/** A text with what it names in backquotes linked: names that are no word of English or C. */
function linked(text, from, byName) {
  return escapeText(text, (code) => {
    const name = /^([A-Za-z_$][\w$]*)(?:\(.*\)|\.\w+(?:\(.*\))?)?$/.exec(code)?.[1];
    const thing = name !== undefined && /[A-Z]/.test(name) ? byName.get(name) : undefined;
    if (thing === undefined || thing === from) return undefined;
    return `[\`${code}\`](${thing.page === from.page ? "" : `${thing.page}.md`}#${thing.anchor})`;
  });
}

/** Markdown of a comment: what stands in backquotes is left as it is or replaced, the rest must not be taken for HTML or emphasis. */
function escapeText(text, replaceCode = () => undefined) {
  return text
    .split(/(```[\s\S]*?```|`[^`\n]+`)/)
    .map((part, i) => {
      if (i % 2 === 1) return part.startsWith("```") ? part : (replaceCode(part.slice(1, -1)) ?? part);
      return part.replace(/[<*]|(?<!\w)_|_(?!\w)/g, (c) => `\\${c}`);
    })
    .join("");
}

/** The first sentence, on one line. */
function firstSentence(text) {
  const line = text.split(/\n\s*\n/)[0].replace(/\s+/g, " ");
  // A full stop that ends a word, not that of `e.g.` or of a version.
  const end = /(?<!\b(?:e\.g|i\.e|cf|vs))[.:](?= [A-Z`])|\.$/.exec(line);
  return end === null ? line : line.slice(0, end.index + 1).replace(/:$/, ".");
}

const codeSpan = (text) => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``);
const indent = (text) => text.replace(/\n(?=.)/g, "\n  ");
const list = (words) => (words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
