/** Nanoseconds as people read them, three digits: `640ns`, `1.25µs`, `84.1ms`, `12.0s`. Called for each call: no toFixed. */
export function formatDuration(ns: number): string {
  if (ns < 999.5) return `${Math.round(ns)}ns`;
  if (ns < 999.5e3) return `${threeDigits(ns / 1e3)}µs`;
  if (ns < 999.5e6) return `${threeDigits(ns / 1e6)}ms`;
  return `${threeDigits(ns / 1e9)}s`;
}

function threeDigits(value: number): string {
  if (value < 9.995) {
    const n = Math.round(value * 100);
    const rest = n % 100;
    return `${(n / 100) | 0}.${rest < 10 ? "0" : ""}${rest}`;
  }
  if (value < 99.95) {
    const n = Math.round(value * 10);
    return `${(n / 10) | 0}.${n % 10}`;
  }
  return String(Math.round(value));
}
