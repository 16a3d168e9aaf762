import type { Layout } from "../../object/codec/index.ts";

/** The layout, when it has the size the map's keys or values have. Throws RangeError. */
export function checkLayout(layout: Layout, size: number, what: string, name: string): Layout {
  if (layout.size === size) return layout;
  throw new RangeError(
    `The ${what} layout of map "${name}" is ${layout.size} bytes, but its ${what}s are ${size} bytes.`,
  );
}
