/** A module with one program at each openat(2): `words` of `skep/kernel` that it uses, its body, and what is declared before. */
export function example(words: string, body: string, before = ""): string {
  const lines = (text: string) => text.split("\n");
  const names = [...new Set(["tracepoint", ...words.split(" ")])].sort().join(", ");
  return [
    `import { ${names} } from "skep/kernel";`,
    "",
    ...(before === "" ? [] : lines(before)),
    'export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {',
    ...lines(body).map((line) => `  ${line}`),
    "});",
    "",
  ].join("\n");
}
