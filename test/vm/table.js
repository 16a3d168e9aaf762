// One table of all kernels' results: test × kernel.

const SIGNS = { passed: "✔", failed: "✖", skipped: "–" };
/** A test that a kernel's run never came to. */
const MISSING = "·";
const NAME_WIDTH = 90;

const cut = (text) => (text.length <= NAME_WIDTH ? text : `${text.slice(0, NAME_WIDTH - 1)}…`);

/**
 * The lines of the table and, below, why tests were skipped. The tests of a suite with
 * the same results are one line.
 * @param {import("./matrix.js").Column[]} columns
 */
export function table(columns) {
  const rows = mergeRows(columns);
  const widths = columns.map(({ name }) => Math.max(name.length, 4));
  const width = Math.min(NAME_WIDTH, Math.max(4, ...rows.map(({ label }) => label.length)));
  const line = (label, cells) =>
    `${cut(label).padEnd(width)}  ${cells.map((cell, i) => cell.padEnd(widths[i])).join("  ")}`.trimEnd();
  const reasons = [];
  const lines = rows.map(({ label, cells }) =>
    line(
      label,
      cells.map((cell) => {
        if (cell === undefined) return MISSING;
        if (cell.result !== "skipped") return SIGNS[cell.result];
        if (!reasons.includes(cell.why)) reasons.push(cell.why);
        return `${SIGNS.skipped}${reasons.indexOf(cell.why) + 1}`;
      }),
    ),
  );
  return [
    line(
      "test",
      columns.map(({ name }) => name),
    ),
    ...lines,
    "",
    "✔ passed  ✖ failed  · did not run  – skipped, because",
    ...reasons.map((reason, i) => `${`–${i + 1}`.padStart(4)} ${reason}`),
  ];
}

const key = (path) => JSON.stringify(path);

/**
 * Makes the columns whole: a test that came on one kernel must come on all. Where its suite was skipped it counts as
 * skipped for the same reason; anything else is a failure, because what never runs cannot fail.
 * @param {import("./matrix.js").Column[]} columns
 */
export function complete(columns) {
  const all = new Map(columns.flatMap(({ tests }) => tests.map(({ path }) => [key(path), path])));
  for (const path of [...all.values()]) {
    // A suite's own record only says that it was skipped.
    const isSuite = [...all.values()].some(
      (other) => other.length > path.length && path.every((word, i) => word === other[i]),
    );
    if (isSuite) all.delete(key(path));
  }
  for (const column of columns) {
    const records = new Map(column.tests.map((test) => [key(test.path), test]));
    const suiteOf = (path) =>
      path.map((_, i) => records.get(key(path.slice(0, i)))).find((suite) => suite !== undefined);
    column.tests = [...all].flatMap(([name, path]) => {
      const own = records.get(name);
      if (own !== undefined) return [own];
      const suite = suiteOf(path);
      if (suite !== undefined) return [{ ...suite, path }];
      // A run that broke off is one failure, not one for each test that it never came to.
      return column.fault === undefined
        ? [{ path, result: "failed", why: "It did not run on this kernel.", ms: 0 }]
        : [];
    });
  }
}

/** One row a test; the tests of a suite with the same results on each kernel, none of them failed, share one. */
function mergeRows(columns) {
  const rows = new Map();
  columns.forEach(({ tests }, i) => {
    for (const test of tests) {
      const name = key(test.path);
      if (!rows.has(name)) rows.set(name, { path: test.path, cells: new Array(columns.length).fill(undefined) });
      rows.get(name).cells[i] = test;
    }
  });
  const merged = new Map();
  for (const { path, cells } of rows.values()) {
    const suite = path.slice(0, -1).join(" › ");
    const isGood = cells.every((cell) => cell !== undefined && cell.result !== "failed");
    const group = suite !== "" && isGood ? key([suite, ...cells.map(({ result, why }) => [result, why])]) : key(path);
    if (!merged.has(group)) merged.set(group, { suite, names: [], cells });
    merged.get(group).names.push(path.at(-1));
  }
  return [...merged.values()].map(({ suite, names, cells }) => {
    const what = names.length > 1 ? `${names.length} tests: ${names.join(", ")}` : names[0];
    return { label: suite === "" ? what : `${suite} › ${what}`, cells };
  });
}

/** Reasons why tests were skipped, those with the same one together. */
export function skipLines(tests) {
  const reasons = groupBy(tests, ({ why }) => why);
  return [...reasons].map(([why, group]) => {
    const names = group.slice(0, 3).map(({ path }) => path.join(" › "));
    return `${names.join(", ")}${group.length > 3 ? ` and ${group.length - 3} more` : ""}: ${why}`;
  });
}

/** Map.groupBy, which Node 20 lacks. */
function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
