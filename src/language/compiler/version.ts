/** Whether a version of the kernel (`5.15`, `5.10.0-33-cloud-amd64`) is newer than another. */
export function isNewer(a: string, b: string): boolean {
  const [x = 0, y = 0] = numbersOf(a);
  const [v = 0, w = 0] = numbersOf(b);
  return x > v || (x === v && y > w);
}

function numbersOf(version: string): number[] {
  return version.split(/[^0-9]+/, 2).map(Number);
}
