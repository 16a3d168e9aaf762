// What is attached on this machine, and by whom: every link, told of by its kind. Linux 5.8; root.
//
//   node dist-test/examples/attached.js
import { linkIds, openLink, openProgram } from "skep";
import { findHolders, holderText, TargetNames } from "skep/inspect";

const names = new TargetNames();
const holders = findHolders();
for (const id of linkIds()) {
  using link = openLink(id); // opened to be looked at: closing it detaches nothing
  const details = link.details();
  using program = details.programId === 0 ? undefined : openProgram(details.programId);
  const by = holderText(holders.links.get(id) ?? []) || "a pin";
  console.log(`${program?.name ?? "a table"}: ${names.of(details)}, held by ${by}`);
  if (details.type === "kprobe_multi") console.log(`  ${details.missed} runs were left out by the kernel`);
}
