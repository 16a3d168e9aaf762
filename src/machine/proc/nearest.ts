const MOST = 3;

/**
 * The names closest to one that does not exist: few typing errors away, or one of the two contains the other. Nearest
 * first, at most three; empty when nothing is close enough to be meant.
 */
export function nearestNames(name: string, all: Iterable<string>): readonly string[] {
  const wanted = name.toLowerCase().slice(0, 64);
  const found: { name: string; far: number }[] = [];
  const limit = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
  for (const candidate of all) {
    const far = distance(wanted, candidate);
    const contains =
      wanted.length >= 3 && (candidate.includes(wanted) || (candidate.length >= 3 && wanted.includes(candidate)));
    // A name cut short (pread for pread64) is likelier than one mistyped, and the shortest of these likeliest.
    if (wanted.length >= 3 && candidate.startsWith(wanted)) found.push({ name: candidate, far: far / 100 });
    else if (far <= limit) found.push({ name: candidate, far });
    else if (contains) found.push({ name: candidate, far: far + limit });
  }
  return found
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, MOST)
    .map((f) => f.name);
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] as number) + 1);
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[b.length] as number;
}
