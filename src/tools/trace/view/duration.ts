/** Nanoseconds as people read them, three digits: `640ns`, `1.25µs`, `84.1ms`, `12.0s`. */
export function formatDuration(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)}ns`;
  if (ns < 1e6) return `${digits(ns / 1e3)}µs`;
  if (ns < 1e9) return `${digits(ns / 1e6)}ms`;
  return `${digits(ns / 1e9)}s`;
}

function digits(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}
