/**
 * Milliseconds of a clock that only goes forward. `performance.now()` would do as well, but when it is first asked Node loads
 * eleven modules of its own, which takes it a millisecond: here it is between the first event and whoever waits for it.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
