/** An option that is a number from `least` on; the sentence that is wrong with it otherwise. */
export function numberOption(
  name: string,
  text: string | undefined,
  otherwise: number,
  least: number,
): number | string {
  if (text === undefined) return otherwise;
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) && number >= least
    ? number
    : `--${name} is a number from ${least} on, not "${text}".`;
}
