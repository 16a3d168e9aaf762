import { listCodes } from "../../language/compiler/diagnostics/index.ts";
import { table } from "../text/index.ts";

/** The page about a diagnostic's code; all codes with their titles. */
export { explainCode, listCodes } from "../../language/compiler/diagnostics/index.ts";

/** All codes with their titles, a line each. */
export function codesText(): string {
  return `${table(listCodes().map(({ code, title }) => [code, title]))}\n`;
}

/** What may have been meant by a code that there is not: one with the same digits, or whose last digits differ. */
export function nearCodes(code: string): readonly string[] {
  const digits = code.replace(/\D/g, "");
  const all = listCodes().map((one) => one.code);
  const same = all.filter((one) => one.slice(2) === digits);
  if (same.length > 0) return same;
  return digits.length < 3 ? [] : all.filter((one) => one.slice(2, 5) === digits.slice(0, 3)).slice(0, 3);
}
