// Running one program of a column: descriptors in, one line of JSON out.
import { spawn } from "node:child_process";

/**
 * @typedef {object} Run
 * @property {readonly number[]} [fds] descriptors it gets as 3, 4, …
 * @property {Record<string, string | undefined>} [env]
 * @property {string} [input] text for its standard input
 * @property {boolean} [pipe] its standard input is the caller's to write to
 */

/**
 * Starts a program, waits for its end and reads the last line of its output as JSON. Fails with what it said on its
 * standard error when it fails.
 * @param {string} command @param {readonly string[]} args @param {Run} [options]
 * @returns {Promise<any>}
 */
export async function runProgram(command, args, options = {}) {
  return await start(command, args, options).result;
}

/**
 * A program that runs beside something: `ready` is settled with its first line of output, `result` with its last.
 * @param {string} command @param {readonly string[]} args @param {Run} [options]
 */
export function start(command, args, { fds = [], env = process.env, input, pipe = input !== undefined } = {}) {
  const child = spawn(command, args, { env, stdio: [pipe ? "pipe" : "ignore", "pipe", "pipe", ...fds] });
  if (input !== undefined) child.stdin?.end(input);
  let output = "";
  let complaints = "";
  const ready = Promise.withResolvers?.() ?? deferred();
  child.stdout?.on("data", (text) => {
    output += text;
    if (output.includes("\n")) ready.resolve(undefined);
  });
  child.stderr?.on("data", (text) => {
    complaints += text;
  });
  const result = new Promise((resolve, reject) => {
    const fail = (why) => {
      const error = new Error(
        `${command} ${args.join(" ")} ${why}${complaints === "" ? "" : `: ${complaints.trim()}`}`,
      );
      reject(error);
      ready.reject(error);
    };
    child.on("error", (error) => fail(`cannot be started (${error.message})`));
    child.on("close", (code, signal) => {
      if (code !== 0) return fail(`ended with ${signal ?? code}`);
      const last = output.trim().split("\n").at(-1) ?? "";
      try {
        resolve(JSON.parse(last));
      } catch {
        fail(`printed no JSON but "${last}"`);
      }
      return undefined;
    });
  });
  // Whoever waits for only one of the two is told by that one.
  ready.promise.catch(() => {});
  result.catch(() => {});
  return { child, ready: ready.promise, result };
}

function deferred() {
  const it = {};
  it.promise = new Promise((resolve, reject) => {
    it.resolve = resolve;
    it.reject = reject;
  });
  return it;
}
