/** What `skep explain` tells about a code. */
export interface Page {
  /** The situation in a few words. */
  readonly title: string;
  /** Why it cannot be so, in terms of what runs the program. Paragraphs are separated by an empty line. */
  readonly why: string;
  /** What to write instead. */
  readonly write: string;
  /** A module that gets this diagnostic; absent where none can be shown (it depends on the kernel, or is a fault of the compiler). */
  readonly bad?: string;
  /** The module as it should be. */
  readonly good?: string;
}

export type Pages = Readonly<Record<string, Page>>;
