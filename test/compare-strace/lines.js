// What the two tools wrote, read into one form: for each thread the events in their order.
//
// An event is a call { kind, name, nr, args, result, unfinished }, a signal { kind, name } or an end { kind }; `line` is
// its text. A result is { value, error, restart, file, note }; `value` is undefined for `?`.
import { parseArguments, parseValue } from "./c-text.js";

/** One line of strace (`-n -yy`), without the thread's id; undefined for what is no event. */
export function parseStraceLine(line) {
  // With -n every line has the number of a call, those of signals and ends, too.
  const [, number, text] = /^(?:\[\s*([\w?]+)\] )?(.*)$/s.exec(line);
  const special = parseSpecial(text);
  if (special !== null) return special;
  const resumed = /^<\.\.\. execve resumed>\)\s*= (.*)$/.exec(text);
  if (resumed !== null) return { kind: "resumed", result: parseResult(resumed[1]), line };
  const moved = / <pid changed to \d+ \.\.\.>$/.exec(text);
  if (moved !== null) return { ...parseCall(`${text.slice(0, moved.index)}) = ?`, Number(number), line), moved: true };
  return parseCall(text, Number(number), line);
}

/**
 * An exec by a thread that is not the first: it goes on with the first one's id, where strace shows its result. It is one
 * call, of the thread that made it.
 */
export function joinMovedExecs(threads) {
  const moved = [...threads.values()].flatMap((events) => events.filter((event) => event.moved === true));
  for (const [tid, events] of threads) {
    const rest = events.filter((event) => {
      if (event.kind !== "resumed") return true;
      moved.shift().result = event.result;
      return false;
    });
    threads.set(tid, rest);
  }
}

/** One line of Skep, without the thread's id. */
export function parseSkepLine(line) {
  const special = parseSpecial(line);
  if (special !== null) return special;
  return parseCall(line.replace(/ <(?:[\d.]+(?:ns|µs|ms|s)|resumed|refused by seccomp)>$/, ""), undefined, line);
}

/** One line of Skep as a JSON object (schema skep.trace/1). */
export function parseSkepObject(object) {
  const line = JSON.stringify(object);
  if (object.type === "signal") return { kind: "signal", name: object.signal, line };
  if (object.type === "exit") return { kind: "end", line };
  const { syscall: name, nr, args, ret, error, ret_path: file, unfinished } = object;
  return {
    kind: "call",
    name: numbered(name),
    nr,
    args: Object.entries(args)
      .filter(([key]) => !key.endsWith("_hex"))
      .map(([key, value]) => ({ kind: "json", value, hex: args[`${key}_hex`] })),
    result: {
      ...(ret !== null && error === null && { value: BigInt(ret) }),
      ...(error !== null && { error }),
      ...(file !== undefined && { file }),
    },
    unfinished: unfinished === true,
    compat: object.compat === true,
    line,
  };
}

function parseSpecial(line) {
  const signal = /^--- (SIG\w+|stopped by (SIG\w+))/.exec(line);
  if (signal !== null) return signal[2] === undefined ? { kind: "signal", name: signal[1], line } : undefined;
  if (line.startsWith("+++ ")) return { kind: "end", line };
  // strace's remarks on the instruction set of a process.
  if (/^\[ Process PID=\d+ runs in/.test(line) || line.startsWith("strace: ")) return undefined;
  return null;
}

function parseCall(text, nr, line) {
  const open = text.indexOf("(");
  if (open < 0) throw new Error(`Not a call: ${line}`);
  const { args, close } = parseArguments(text, open + 1);
  const result = /^\s*= (.*)$/s.exec(text.slice(close + 1));
  if (result === null) throw new Error(`A call without a result: ${line}`);
  const name = text.slice(0, open);
  return {
    kind: "call",
    name: numbered(name),
    nr,
    args: inOrder(name, args).filter(({ kind }) => kind !== "more"),
    result: parseResult(result[1]),
    unfinished: result[1] === "?" && text.includes("<unfinished ...>"),
    line,
  };
}

/** A call that no table has: `syscall_0x3e7` with strace, `syscall_999` with Skep. */
function numbered(name) {
  const number = /^syscall_(\w+)$/.exec(name)?.[1];
  return number === undefined ? name : `syscall_${BigInt.asUintN(32, BigInt(number))}`;
}

/** strace names the arguments of clone, and gives them in another order than the manual's section on the raw call. */
const CLONE = ["flags", "child_stack", "parent_tid", "child_tidptr", "tls"];

function inOrder(name, args) {
  if (name !== "clone" || args[0]?.name === undefined) return args;
  const given = new Map(args.map((arg) => [arg.name, arg]));
  return CLONE.slice(0, CLONE.findLastIndex((one) => given.has(one)) + 1).map(
    (one) => given.get(one) ?? { kind: "unused" },
  );
}

export function parseResult(text) {
  const restart = /^\? (ERESTART\w+)/.exec(text);
  if (restart !== null) return { error: restart[1] };
  if (text.startsWith("?")) return {};
  const error = /^-1 (E\w+) \(/.exec(text);
  if (error !== null) return { error: error[1] };
  const note = / \((.*)\)$/s.exec(text);
  const number = parseValue(note === null ? text : text.slice(0, note.index));
  if (number.kind === "fd") return { value: number.number.value, file: number.file };
  if (number.kind !== "number") throw new Error(`Not a result: ${text}`);
  return { value: number.value, ...(note !== null && { note: note[1] }) };
}
