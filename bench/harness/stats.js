// What is made of the raw numbers.

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The median of the rounds' own ratios: the two runs of a round stand side by side in time, so a machine that gets
 * slower for a while does not touch the ratio.
 * @param {readonly number[]} values @param {readonly number[]} to
 */
export function medianRatio(values, to) {
  return median(values.map((value, i) => value / to[i]).filter((ratio) => Number.isFinite(ratio)));
}

/** Three significant digits, as a person writes them. @param {number} value */
export function show(value) {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  if (size >= 1000) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, " ");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
}
