// A reporter for node:test: one JSON object a line for each test, so that runs on several kernels can be put side by side.
//
//   node --test-reporter=./test/support/reporter.js --test-reporter-destination=FILE …

/** @typedef {{ path: string[], result: "passed" | "failed" | "skipped", why?: string, ms: number }} TestRecord */

function why({ details, skip, todo }) {
  if (isSet(skip)) return typeof skip === "string" ? skip : "skipped in the test itself";
  if (isSet(todo)) return `to do: ${typeof todo === "string" ? todo : ""}`;
  // The runner wraps what a test threw.
  const error = details.error?.cause ?? details.error;
  return error?.stack ?? (error === undefined ? undefined : String(error));
}

export default async function* (source) {
  const open = [];
  for await (const { type, data } of source) {
    // Reports come in the order of the file: a suite starts before its tests and is judged after them.
    if (type === "test:start") {
      open.length = data.nesting;
      open.push(data.name);
      continue;
    }
    if (type !== "test:pass" && type !== "test:fail") continue;
    const path = [...open.slice(0, data.nesting), data.name];
    const skipped = isSet(data.skip) || isSet(data.todo);
    const ms = Math.round(data.details.duration_ms);
    if (type === "test:fail") {
      // A suite that failed because of its tests says nothing new; one may also fail by itself: its body or a hook threw.
      const isEcho = data.details.type === "suite" && data.details.error?.failureType === "subtestsFailed";
      if (!isEcho) yield line({ path, result: "failed", why: why(data), ms });
    } else if (skipped) yield line({ path, result: "skipped", why: why(data), ms });
    else if (data.details.type !== "suite") yield line({ path, result: "passed", ms });
  }
}

const line = (record) => `${JSON.stringify(record)}\n`;
const isSet = (mark) => mark !== undefined && mark !== false;
