/** A piece of source: characters (UTF-16 units) `start` to `end` of a file, as the parser counts them. */
export interface Span {
  /** Index into the sources that are compiled. */
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

/** What stands nowhere in the source: glue that the compiler adds. */
export const NOWHERE: Span = { file: -1, start: 0, end: 0 };
