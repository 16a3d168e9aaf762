/** The part of a name that counts: `task_struct___v5` is a flavour of `task_struct`. */
export function essentialName(name: string): string {
  // At least one character stands before the three underscores, and one after them.
  for (let at = name.lastIndexOf("___"); at > 0; at = name.lastIndexOf("___", at - 1)) {
    if (name[at - 1] !== "_" && at + 3 < name.length && name[at + 3] !== "_") return name.slice(0, at);
  }
  return name;
}
