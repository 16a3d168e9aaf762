/** Whether to print in colours: as was said, or on a terminal unless NO_COLOR is set (no-color.org). */
export function isColored(
  options: { readonly color?: boolean; readonly "no-color"?: boolean },
  stream: { readonly isTTY?: boolean } = process.stdout,
): boolean {
  if (options["no-color"] === true) return false;
  return options.color ?? (stream.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb");
}
