// Pairs the events that two tools saw of one thread: in order, by kind and by number of the call.

const LOOK_AHEAD = 64;

const key = (event) => (event.kind === "call" ? event.name : event.kind);

/**
 * Pairs two sequences. Where they part, the nearest place is taken at which they go on alike; what lies between has no
 * partner.
 * @returns {{ pairs: [any, any][], onlyA: any[], onlyB: any[] }}
 */
export function pairUp(a, b) {
  const [pairs, onlyA, onlyB] = [[], [], []];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (key(a[i]) === key(b[j])) {
      pairs.push([a[i++], b[j++]]);
      continue;
    }
    const [skipA, skipB] = nextAlike(a, i, b, j);
    onlyA.push(...a.slice(i, i + skipA));
    onlyB.push(...b.slice(j, j + skipB));
    i += skipA;
    j += skipB;
  }
  onlyA.push(...a.slice(i));
  onlyB.push(...b.slice(j));
  return { pairs, onlyA, onlyB };
}

/** How many to leave out of each, as few as possible, so that three events in a row (or all that are left) agree. */
function nextAlike(a, i, b, j) {
  for (let both = 1; both <= LOOK_AHEAD; both++) {
    for (let skipA = 0; skipA <= both; skipA++) {
      const skipB = both - skipA;
      if (i + skipA > a.length || j + skipB > b.length) continue;
      if (alike(a, i + skipA, b, j + skipB)) return [skipA, skipB];
    }
  }
  return [1, 1];
}

function alike(a, i, b, j) {
  for (let k = 0; k < 3; k++) {
    const ended = [i + k >= a.length, j + k >= b.length];
    if (ended[0] && ended[1]) return true;
    if (ended[0] || ended[1] || key(a[i + k]) !== key(b[j + k])) return false;
  }
  return true;
}
