import { lstatSync } from "node:fs";

/** Whether a path is a symbolic link, as far as can be seen from here. */
export type IsLink = (path: string) => boolean;

export const isLink: IsLink = (path) => {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
};

/**
 * An absolute path without `.` and empty parts. `..` takes the part before it away, except where that is a symbolic link
 * and so leads elsewhere: there it stays.
 */
export function absolutePath(base: string, path: string, link: IsLink = isLink): string {
  const whole = path.startsWith("/") ? path : `${base}/${path}`;
  // Most have nothing to be cleaned up.
  if (!/\/(\/|\.|$)/.test(whole)) return whole;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    const last = parts.at(-1);
    if (part !== ".." || last === ".." || (last !== undefined && link(`/${parts.join("/")}`))) parts.push(part);
    else parts.pop();
  }
  return `/${parts.join("/")}`;
}
