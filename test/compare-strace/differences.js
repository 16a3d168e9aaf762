// How two events differ that are one and the same: results, open files, paths, every argument that both decode.
import { parseValue, show, unescapeC } from "./c-text.js";

/**
 * @typedef {object} Difference
 * @property {"result" | "file" | "argument" | "signal"} what
 * @property {string} where `openat.flags` or `openat[2]`, `openat = `
 * @property {string} strace as strace has it
 * @property {string} skep as Skep has it
 */

/** Compares a pair; what only one of them decodes is counted in `tally.undecoded`. */
export function differencesOf(strace, skep, tally) {
  if (strace.kind === "signal") {
    return strace.name === skep.name ? [] : [{ what: "signal", where: "signal", strace: strace.name, skep: skep.name }];
  }
  if (strace.kind !== "call") return [];
  const comparison = new Comparison(strace.name, tally);
  comparison.result(strace, skep);
  comparison.arguments(strace, skep);
  return comparison.differences;
}

class Comparison {
  differences = [];

  constructor(name, tally) {
    this.name = name;
    this.tally = tally;
  }

  differ(what, where, strace, skep) {
    this.differences.push({ what, where: `${this.name}${where}`, strace, skep });
  }

  result(strace, skep) {
    const [s, k] = [strace.result, skep.result];
    const text = ({ value, error }) => error ?? (value === undefined ? "?" : String(value));
    if (text(s) !== text(k)) this.differ("result", " =", text(s), text(k));
    else if (s.file !== undefined || k.file !== undefined) this.file(" =", s.file, k.file);
  }

  arguments(strace, skep) {
    // A call that did not return shows only what was known at its entry.
    const count = Math.min(strace.args.length, skep.args.length);
    if (strace.args.length !== skep.args.length && !strace.unfinished && strace.name !== "restart_syscall")
      this.differ("argument", ".length", String(strace.args.length), String(skep.args.length));
    for (let i = 0; i < count; i++) {
      this.tally.compared++;
      this.value(`[${i}]`, strace.args[i], fromJson(skep.args[i], strace.args[i]));
    }
  }

  value(where, s, k) {
    if (s.kind === "more" || k.kind === "more" || s.kind === "unused") return;
    // `[16 => 110]`: what was there before and what came; `{…} => {parent_tid=[7]}`: what was given and what came.
    if (s.kind === "change") {
      if (s.to.kind === "struct" && s.from.kind === "struct")
        return this.value(where, { ...s.from, fields: [...s.from.fields, ...s.to.fields] }, k);
      return this.value(where, s.to, k);
    }
    if (s.kind === "call" || k.kind === "call") return this.value(where, known(s), known(k));
    if (s.kind === "fd" || k.kind === "fd") return this.descriptor(where, s, k);
    if (s.kind === k.kind) return this.same(where, s, k);
    if (isConstant(s) && isConstant(k)) return this.constants(where, s, k);
    return this.undecoded(where, s, k);
  }

  same(where, s, k) {
    switch (s.kind) {
      case "number":
        if (BigInt.asUintN(64, s.value) !== BigInt.asUintN(64, k.value))
          this.differ("argument", where, show(s), show(k));
        return;
      case "string":
        return this.strings(where, s, k);
      case "struct":
        if (s.fields.length === 1 && k.fields.length === 1 && s.fields[0].name === undefined)
          return this.value(where, s.fields[0].value, k.fields[0].value);
        for (const { name, value } of s.fields) {
          const other = name === undefined ? undefined : k.fields.find((field) => field.name === name);
          if (other !== undefined) this.value(`${where}.${name}`, value, other.value);
        }
        return;
      case "list":
        if (s.negated !== k.negated) return this.differ("argument", where, show(s), show(k));
        if (isSet(s) && isSet(k)) return this.sets(where, s, k);
        if (s.items.length !== k.items.length && !s.more && !k.more)
          return this.differ("argument", where, show(s), show(k));
        for (let i = 0; i < Math.min(s.items.length, k.items.length); i++)
          this.value(`${where}[${i}]`, s.items[i], k.items[i]);
        return;
      case "or":
      case "id":
        return this.constants(where, s, k);
      default:
        if (s.text !== k.text) this.differ("argument", where, show(s), show(k));
    }
  }

  strings(where, s, k) {
    const length = Math.min(s.bytes.length, k.bytes.length);
    const fits = (a, b) => a.more || a.bytes.length >= b.bytes.length;
    const equal =
      k.text === undefined ? s.bytes.subarray(0, length).equals(k.bytes.subarray(0, length)) : sameText(s, k);
    if (!equal || !fits(s, k) || !fits(k, s)) this.differ("argument", where, show(s), show(k));
  }

  /** Flags: the same names, and the same rest; where one has a number for what the other names, nothing is decoded twice. */
  constants(where, s, k) {
    const [a, b] = [flagsOf(s), flagsOf(k)];
    const only = (one, other) => [...one.names].filter((name) => !other.names.has(name));
    const [onlyS, onlyK] = [only(a, b), only(b, a)];
    if (onlyS.length === 0 && onlyK.length === 0) {
      if (a.rest !== b.rest) this.differ("argument", where, show(s), show(k));
    } else if (onlyS.length > 0 && onlyK.length > 0) this.differ("argument", where, show(s), show(k));
    else if ((onlyS.length > 0 ? b : a).rest !== 0n) this.undecoded(where, s, k);
    else this.differ("argument", where, show(s), show(k));
  }

  sets(where, s, k) {
    const text = (node) =>
      node.items
        .map((item) => show(item.kind === "fd" ? item.number : item))
        .sort()
        .join(" ");
    if (text(s) !== text(k)) this.differ("argument", where, text(s), text(k));
  }

  descriptor(where, s, k) {
    const number = (node) => (node.kind === "fd" ? node.number : node);
    this.value(where, number(s), number(k));
    // Only strace says where the process stands.
    if (number(s).name === "AT_FDCWD" && k.kind !== "fd") return;
    this.file(where, s.kind === "fd" ? s.file : undefined, k.kind === "fd" ? k.file : undefined);
  }

  file(where, s, k) {
    const [a, b] = [fileOf(s), fileOf(k)];
    if (a !== b && !sameSocket(a, b)) this.differ("file", where, a ?? "none", b ?? "none");
    else this.tally.files++;
  }

  undecoded(where, s, k) {
    this.tally.undecoded.push({ where: `${this.name}${where}`, strace: show(s), skep: show(k) });
  }
}

/** Names for the same bits, for several at once, and for none. */
const ALIASES = {
  WSTOPPED: ["WUNTRACED"],
  IN_ALL_EVENTS:
    "IN_ACCESS IN_MODIFY IN_ATTRIB IN_CLOSE_WRITE IN_CLOSE_NOWRITE IN_OPEN IN_MOVED_FROM IN_MOVED_TO IN_CREATE IN_DELETE IN_DELETE_SELF IN_MOVE_SELF".split(
      " ",
    ),
  AT_STATX_SYNC_AS_STAT: [],
};
const MODE_BITS = { S_ISUID: 0o4000n, S_ISGID: 0o2000n, S_ISVTX: 0o1000n };

/** The names of a set of flags, and what is left as a number. */
function flagsOf(node) {
  const names = new Set();
  let rest = 0n;
  for (const part of node.kind === "or" ? node.parts : [node]) {
    if (part.kind === "number") rest |= BigInt.asUintN(64, part.value);
    else if (MODE_BITS[part.name] !== undefined) rest |= MODE_BITS[part.name];
    else for (const name of ALIASES[part.name] ?? [part.name ?? show(part)]) names.add(name);
  }
  return { names, rest };
}

const isConstant = ({ kind }) => kind === "id" || kind === "or";
/** Signals, descriptors: an order is not given. */
const isSet = ({ items }) => items.every(({ kind }) => kind === "id" || kind === "fd");

/** A value of Skep's JSON as a node; texts are what strace has there: a string, or something to be read. */
function fromJson(node, like) {
  if (node.kind !== "json") return node;
  const { value, hex } = node;
  if (value === null) return { kind: "number", value: 0n };
  if (typeof value === "number") return { kind: "number", value: BigInt(value) };
  if (Array.isArray(value)) {
    const items = value.map((item) =>
      typeof item === "string" ? stringNode(item) : fromJson({ kind: "json", value: item }, item),
    );
    return { kind: "list", items, more: value.length >= 24, negated: false };
  }
  if (typeof value === "object" && "fd" in value) {
    const number = { kind: "number", value: BigInt(value.fd) };
    return value.path === undefined ? number : { kind: "fd", number, file: value.path };
  }
  if (typeof value === "object") {
    const node = stringNode(value.data, value.hex);
    return { ...node, more: node.bytes.length < value.length };
  }
  return like.kind === "string" && !/^0x[0-9a-f]+$/.test(value) ? stringNode(value, hex) : parseValue(value);
}

function stringNode(text, hex) {
  const bytes = hex === undefined ? Buffer.from(text) : Buffer.from(hex, "hex");
  return { kind: "string", bytes, more: bytes.length >= 4095 };
}

/** Functions that strace writes around values. */
function known(node) {
  if (node.kind !== "call") return node;
  const { name, args } = node;
  const [first] = args;
  switch (name) {
    case "htons":
    case "htonl":
      return first?.kind === "id" ? { kind: "raw", text: ADDRESSES[first.name] ?? first.name } : first;
    case "inet_addr":
      return { kind: "raw", text: first?.bytes.toString() };
    default:
      return { kind: "raw", text: `${name}(${args.map(show).join(", ")})` };
  }
}

const ADDRESSES = { INADDR_ANY: "0.0.0.0", INADDR_LOOPBACK: "127.0.0.1" };

/**
 * What a descriptor is open on, in one form for both: a path; `pipe`; `TCP`, `UDP`, `UNIX`, `NETLINK:ROUTE`, with
 * addresses where they are known.
 */
export function fileOf(file) {
  if (file === undefined) return undefined;
  let text = unescapeC(file)
    .toString("utf8")
    .replace(/<(?:char|block) [\d:]+>( \(deleted\))?$/, "$1");
  if (/^pipe(:\[\d+\])?$/.test(text)) return "pipe";
  if (text.startsWith("/memfd:")) return text.replace(/ \(deleted\)$/, "");
  text = text
    .replace(/^UNIX-\w+/, "UNIX")
    .replace(/^UNIX:\[[^,\]]*(?:,(@?)"(.*)")?\]$/, (_, at, path) =>
      path === undefined ? "UNIX" : `UNIX:${at}${path}`,
    );
  text = text.replace(/^NETLINK:\[(?:(\w+):)?-?\d+\]$/, (_, family) =>
    family === undefined ? "NETLINK" : `NETLINK:${family}`,
  );
  return text.replace(/^((?:TCP|UDP|RAW|UDPLITE)(?:v6)?):\[(.*)\]$/, (_, kind, inside) =>
    /^\d+$/.test(inside) ? kind : `${kind}:${inside}`,
  );
}

/** Sockets: the kinds agree, and so do the addresses as far as both know them. */
function sameSocket(a, b) {
  const [s, k] = [socketOf(a), socketOf(b)];
  if (s === undefined || k === undefined) return false;
  if (s.kind !== k.kind && !(s.kind === "NETLINK" && k.kind.startsWith("NETLINK:"))) return false;
  return (
    (s.peer === undefined || k.peer === undefined || s.peer === k.peer) &&
    (s.local === undefined || k.local === undefined || s.local === k.local)
  );
}

function socketOf(file) {
  const match = /^((?:TCP|UDP)(?:v6)?|UNIX|NETLINK(?::\w+)?|socket)(?::(.*))?$/.exec(file ?? "");
  if (match === null) return undefined;
  const [, kind, rest = ""] = match;
  const arrow = /^(.*?)(?:->|→|←)(.*)$/.exec(rest);
  const local = arrow === null ? rest : arrow[1];
  const peer = arrow?.[2];
  return { kind, ...(local !== "" && { local }), ...(peer !== undefined && peer !== "" && { peer }) };
}
