// How a run ended, in words and as an exit code.

const TAIL_LINES = 30;

function tail(text) {
  const lines = text.trimEnd().split(/\r?\n/).slice(-TAIL_LINES);
  return lines.join("").trim() === "" ? "  (the console is empty)" : lines.map((line) => `  ${line}`).join("\n");
}

/** Undefined for a command that simply ended. @param {import("./machine.js").Ending} ending */
export function describe(ending) {
  const console = () => `The end of the kernel's console (Linux ${ending.release}):\n${tail(ending.console)}`;
  switch (ending.kind) {
    case "signal":
      return `vm: the command was killed by ${ending.name} (signal ${ending.number}). ${console()}`;
    case "panic":
      return `vm: the kernel panicked: ${ending.message}\n${console()}`;
    case "timeout":
      return `vm: still running after ${ending.seconds} s, so the machine was ended. ${console()}`;
    case "broken":
      return `vm: ${ending.message}\n${console()}`;
    case "aborted":
      return "vm: stopped from outside before the command ended.";
    default:
      return undefined;
  }
}

export function exitCode(ending) {
  switch (ending.kind) {
    case "exit":
      return ending.code;
    case "signal":
      return 128 + ending.number;
    case "timeout":
      return 124;
    default:
      return 125;
  }
}
