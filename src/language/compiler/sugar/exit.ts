/** What `exit()` of a one-liner prints: whoever shows the lines ends the run instead. No text of a source begins like this. */
export const EXIT_TEXT = "\u0001exit";
