// Which public names say nothing of themselves.

/** Members whose name says what the language or the house says of them everywhere. */
const SAYS_ITSELF = /^(close|\[Symbol\.(dispose|asyncDispose|iterator|asyncIterator)\]|)$/;

/**
 * Exports without a doc comment, and functions of theirs without one: `[{ name, path }]`. Of several signatures of one name
 * one comment is enough.
 */
export function undocumented(things) {
  const found = [];
  for (const { name, path, text, declarations } of things) {
    if (text === "") found.push({ name, path });
    const members = declarations.flatMap((declaration) => declaration.members);
    const said = new Set(members.filter((member) => member.text !== "").map((member) => member.name));
    const silent = members.filter(
      (member) => member.isCallable && !said.has(member.name) && !SAYS_ITSELF.test(member.name),
    );
    for (const member of new Set(silent.map((one) => one.name))) found.push({ name: `${name}.${member}`, path });
  }
  return found;
}
