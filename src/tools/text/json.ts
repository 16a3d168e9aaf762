/** Any value as JSON in one line: bigints as decimal texts, bytes as hexadecimal ones. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === "bigint") return item.toString();
    return item instanceof Uint8Array ? Buffer.from(item).toString("hex") : item;
  });
}
