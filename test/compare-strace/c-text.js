// Arguments as strace and Skep print them, read into trees: numbers, strings, flags, structures, vectors, descriptors.
//
// Nodes, by `kind`:
//   number   value (bigint)                       id      name (a constant)
//   string   bytes (Buffer), more                 or      parts (flags)
//   struct   fields ({name?, value}), more        list    items, more, negated (`~[…]`)
//   call     name, args (`htons(80)`)             fd      number (node), file (`3</etc/passwd>`)
//   change   from, to (`[16 => 110]`)             raw     text: everything else
//   more     `...`

const ESCAPES = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8, e: 27, '"': 34, "\\": 92 };

/** The bytes of a C string's inside, with its escapes resolved. */
export function unescapeC(text) {
  const out = [];
  const utf8 = Buffer.from(text, "utf8");
  for (let i = 0; i < utf8.length; i++) {
    if (utf8[i] !== 0x5c) {
      out.push(utf8[i]);
      continue;
    }
    const next = String.fromCharCode(utf8[++i]);
    if (next === "x") {
      const digits = /^[0-9a-f]{1,2}/i.exec(utf8.toString("latin1", i + 1, i + 3))?.[0] ?? "";
      out.push(Number.parseInt(digits, 16));
      i += digits.length;
    } else if (next >= "0" && next <= "7") {
      const digits = /^[0-7]{1,3}/.exec(utf8.toString("latin1", i, i + 3))[0];
      out.push(Number.parseInt(digits, 8) & 0xff);
      i += digits.length - 1;
    } else {
      out.push(ESCAPES[next] ?? next.charCodeAt(0));
    }
  }
  return Buffer.from(out);
}

/** The arguments between a call's parentheses. `open` is the index behind the opening one; `close` the closing one's. */
export function parseArguments(text, open) {
  const reader = new Reader(text, open);
  const args = reader.items(")");
  return { args, close: reader.at - 1 };
}

/** One value, from a text that is nothing else. */
export function parseValue(text) {
  const reader = new Reader(text, 0);
  const value = reader.value();
  reader.space();
  return reader.at >= text.length ? value : { kind: "raw", text };
}

class Reader {
  constructor(text, at) {
    this.text = text;
    this.at = at;
  }

  space() {
    for (;;) {
      while (this.text[this.at] === " ") this.at++;
      if (!this.text.startsWith("/*", this.at)) return;
      const end = this.text.indexOf("*/", this.at);
      this.at = end < 0 ? this.text.length : end + 2;
    }
  }

  has(token) {
    this.space();
    return this.text.startsWith(token, this.at);
  }

  take(token) {
    if (!this.has(token)) return false;
    this.at += token.length;
    return true;
  }

  /** Values up to the closing bracket, which is taken; commas between them, or only spaces (sets of signals). */
  items(close) {
    const items = [];
    while (this.at < this.text.length && !this.take(close)) {
      const before = this.at;
      const name = this.name();
      const value = this.value();
      items.push(name === undefined ? value : { ...value, name });
      this.take(",");
      if (this.at === before) this.at++;
    }
    return items;
  }

  /** `st_mode=`, in structures and before some of strace's arguments. */
  name() {
    this.space();
    const name = /^([a-z_]\w*)=(?!=|>)/i.exec(this.text.slice(this.at, this.at + 64))?.[1];
    if (name !== undefined) this.at += name.length + 1;
    return name;
  }

  value() {
    let left = this.factor();
    for (;;) {
      if (this.take("=>")) left = { kind: "change", from: left, to: this.value() };
      else if (this.has("||") || this.has("&&") || this.has("==")) left = this.expression(left);
      else if (this.take("|")) {
        left = { kind: "or", parts: [...(left.kind === "or" ? left.parts : [left]), this.factor()] };
      } else return left;
    }
  }

  /** `8192*1024`, `1<<CAP_CHOWN`. */
  factor() {
    const left = this.primary();
    const operator =
      left.kind !== "number" && left.kind !== "id" ? undefined : ["<<", "*"].find((one) => this.take(one));
    if (operator === undefined) return left;
    const right = this.primary();
    if (left.kind !== "number" || right.kind !== "number")
      return { kind: "raw", text: `${show(left)}${operator}${show(right)}` };
    return { kind: "number", value: operator === "*" ? left.value * right.value : left.value << right.value };
  }

  /** `WIFEXITED(s) && WEXITSTATUS(s) == 3`: compared as text. */
  expression(left) {
    const operator = this.text.slice(this.at, this.at + 2);
    this.at += 2;
    return { kind: "raw", text: `${show(left)} ${operator} ${show(this.value())}` };
  }

  primary() {
    this.space();
    const { text } = this;
    const c = text[this.at];
    if (c === '"' || text.startsWith('@"', this.at)) return this.string();
    if (c === "{") return this.struct();
    if (c === "[" || text.startsWith("~[", this.at)) return this.list();
    if (text.startsWith("...", this.at)) {
      this.at += 3;
      return { kind: "more" };
    }
    // `<unfinished ...>`, `<... resuming interrupted poll ...>`
    const note = /^<(?:unfinished|\.\.\.)[^>]*>/.exec(text.slice(this.at, this.at + 100));
    if (note !== null) {
      this.at += note[0].length;
      return { kind: "more" };
    }
    return this.word();
  }

  string() {
    const start = this.at;
    this.at += this.text[start] === "@" ? 2 : 1;
    const from = this.at;
    while (this.at < this.text.length && this.text[this.at] !== '"') this.at += this.text[this.at] === "\\" ? 2 : 1;
    const inside = unescapeC(this.text.slice(from, this.at));
    this.at++;
    const more = this.text.startsWith("...", this.at);
    if (more) this.at += 3;
    return {
      kind: "string",
      bytes: this.text[start] === "@" ? Buffer.concat([Buffer.from("@"), inside]) : inside,
      more,
    };
  }

  struct() {
    this.at++;
    const fields = [];
    while (this.at < this.text.length && !this.take("}")) {
      const before = this.at;
      const name = this.name();
      fields.push({ ...(name !== undefined && { name }), value: this.value() });
      this.take(",");
      if (this.at === before) this.at++;
    }
    const shown = fields.filter(({ value }) => value.kind !== "more");
    return { kind: "struct", fields: shown, more: shown.length < fields.length || this.dots() };
  }

  list() {
    const negated = this.take("~");
    this.take("[");
    const items = this.items("]");
    const shown = items.filter(({ kind }) => kind !== "more");
    return { kind: "list", items: shown, more: shown.length < items.length || this.dots(), negated };
  }

  /** `...` right behind a bracket. */
  dots() {
    const more = this.text.startsWith("...", this.at);
    if (more) this.at += 3;
    return more;
  }

  word() {
    const start = this.at;
    while (this.at < this.text.length && !' ,(){}[]|<>=*"'.includes(this.text[this.at])) {
      if (this.text.startsWith("&&", this.at)) break;
      this.at++;
    }
    const word = this.text.slice(start, this.at);
    if (word === "") return { kind: "raw", text: "" };
    if (this.text[this.at] === "<" && this.text[this.at + 1] !== "<" && /^(-?\d+|AT_FDCWD)$/.test(word)) {
      const file = this.file();
      // strace puts it behind the bracket, the kernel writes it into the name.
      return { kind: "fd", number: atom(word), file: this.take("(deleted)") ? `${file} (deleted)` : file };
    }
    if (this.text[this.at] === "(" && /^[A-Za-z_]\w*$/.test(word)) {
      this.at++;
      return { kind: "call", name: word, args: this.items(")") };
    }
    return atom(word);
  }

  /** `<…>` behind a descriptor; brackets within are in pairs. */
  file() {
    let depth = 0;
    const start = this.at + 1;
    for (; this.at < this.text.length; this.at++) {
      if (this.text[this.at] === "<") depth++;
      // The arrow of `TCP:[a->b]` is no bracket.
      else if (this.text[this.at] === ">" && this.text[this.at - 1] !== "-" && --depth === 0) break;
    }
    return this.text.slice(start, this.at++);
  }
}

function atom(word) {
  if (word === "NULL") return { kind: "number", value: 0n };
  const digits = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(word);
  if (digits !== null) {
    const [, sign, number] = digits;
    const value = BigInt(/^0[0-7]+$/.test(number) ? `0o${number.slice(1)}` : number);
    return { kind: "number", value: sign === "-" ? -value : value };
  }
  if (/^[A-Za-z_?]\w*$/.test(word)) return { kind: "id", name: word };
  return { kind: "raw", text: word };
}

/** A node as text again, in one form for both sides. */
export function show(node) {
  switch (node.kind) {
    case "number":
      return node.value > 0xffffn ? `0x${node.value.toString(16)}` : String(node.value);
    case "string":
      return `${JSON.stringify(node.bytes.toString("latin1"))}${node.more ? "..." : ""}`;
    case "struct":
      return `{${node.fields.map(({ name, value }) => `${name === undefined ? "" : `${name}=`}${show(value)}`).join(", ")}${node.more ? ", ..." : ""}}`;
    case "list":
      return `${node.negated ? "~" : ""}[${node.items.map(show).join(", ")}${node.more ? ", ..." : ""}]`;
    case "or":
      return node.parts.map(show).join("|");
    case "call":
      return `${node.name}(${node.args.map(show).join(", ")})`;
    case "fd":
      return `${show(node.number)}<${node.file}>`;
    case "change":
      return `${show(node.from)} => ${show(node.to)}`;
    case "id":
      return node.name;
    case "more":
      return "...";
    default:
      return node.text;
  }
}
