const UNITS = ["", "K", "M", "G", "T", "P", "E"];

/** A bucket's bound as people read it: `512`, `4K`, `1M` for whole multiples of 1024, plain digits otherwise. */
export function boundText(value: bigint): string {
  const sign = value < 0n ? "-" : "";
  let rest = value < 0n ? -value : value;
  let unit = 0;
  while (rest >= 1024n && rest % 1024n === 0n && unit < UNITS.length - 1) {
    rest /= 1024n;
    unit++;
  }
  return `${sign}${rest}${UNITS[unit]}`;
}

/** A number in groups of three digits: `1,234,567`. */
export function grouped(value: number | bigint): string {
  return typeof value === "number" && !Number.isInteger(value)
    ? String(Math.round(value * 100) / 100)
    : String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Part of a whole: `12.3%`. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? "" : `${((part * 100) / whole).toFixed(1)}%`;
}

/** A bar of at most `width` characters for `value` of `most`; what is not nothing has one character at least. */
export function bar(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return "";
  return "@".repeat(Math.max(1, Math.round((value * width) / most)));
}
