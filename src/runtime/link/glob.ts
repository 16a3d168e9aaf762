/**
 * What fits a pattern as shells have them: `*` any letters, `?` one, `[a-f]` one of these, `[!a-f]` one of others. Throws
 * TypeError for a bracket that is empty or not closed, and for a range the wrong way round.
 */
export function globMatcher(patterns: string | readonly string[]): (name: string) => boolean {
  const all = [patterns].flat().map(toExpression);
  return (name) => all.some((expression) => expression.test(name));
}

function toExpression(pattern: string): RegExp {
  const source = pattern.replace(/\[(!?)([^\]]*)(\]?)|[*?]|[\\^$.|+(){}\]]/g, (found, not, letters, closed) => {
    if (found === "*") return ".*";
    if (found === "?") return ".";
    if (!found.startsWith("[")) return `\\${found}`;
    if (closed === "" || letters === "")
      throw new TypeError(`Pattern "${pattern}" has a bracket with nothing in it, or without its end.`);
    return `[${not === "!" ? "^" : ""}${letters.replace(/[\\^[\]]/g, "\\$&")}]`;
  });
  try {
    return new RegExp(`^${source}$`, "s");
  } catch (cause) {
    throw new TypeError(`Pattern "${pattern}" has a range that ends before it begins.`, { cause });
  }
}
