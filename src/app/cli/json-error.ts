import { json } from "../../tools/text/index.ts";
import { print } from "./print.ts";

/**
 * What `body` gives; with `wanted` an error that is a sentence for people (it has a code) is printed as JSON, too, and 1 given.
 */
export function orJsonError(wanted: boolean | undefined, body: () => number): number;
export function orJsonError(wanted: boolean | undefined, body: () => Promise<number>): Promise<number>;
export function orJsonError(
  wanted: boolean | undefined,
  body: () => number | Promise<number>,
): number | Promise<number> {
  const told = (error: unknown) => {
    const { code } = error as { code?: unknown };
    if (wanted !== true || !(error instanceof Error) || typeof code !== "string") throw error;
    print(json({ schema: "skep.error/1", code, message: error.message }));
    return 1;
  };
  try {
    const result = body();
    return typeof result === "number" ? result : result.catch(told);
  } catch (error) {
    return told(error);
  }
}
