import { relative, resolve } from "node:path";

/** A path as seen from the working directory, where that is shorter than the whole. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), resolve(path));
  return near.length < path.length ? near : path;
}
