/** A report as its JSON has it: what the kernel tells of a thing beside what was found out about it. */
export function flat<T extends { readonly details: object }>(report: T): T["details"] & Omit<T, "details"> {
  const { details, ...more } = report;
  return { ...details, ...more };
}
