// Which page of the reference a thing stands on: by the room it is declared in, the longest beginning counts. What is in
// none of these stands on a page called after the module that exports it (`skep/kernel` → kernel.md).
export const PAGES = [
  { page: "loading", title: "Loading objects", rooms: ["sdk", "runtime/load"] },
  { page: "objects", title: "Objects before they are loaded", rooms: ["object/spec", "object/elf"] },
  {
    page: "programs",
    title: "Programs in the kernel",
    rooms: [
      "runtime/load/program",
      "runtime/load/test-run",
      "runtime/load/verifier",
      "runtime/load/enable-stats",
      "runtime/load/benchmark",
    ],
  },
  { page: "replacing", title: "Replacing and installing objects", rooms: ["runtime/load/replace"] },
  { page: "probes", title: "What a kernel can do", rooms: ["runtime/load/probe"] },
  { page: "maps", title: "Maps", rooms: ["runtime/map"] },
  { page: "links", title: "Attaching programs", rooms: ["runtime/link"] },
  {
    page: "attached",
    title: "What is attached",
    rooms: ["runtime/link/link-", "runtime/link/open-link", "runtime/link/query"],
  },
  { page: "events", title: "Events", rooms: ["runtime/event"] },
  { page: "values", title: "Layouts and values", rooms: ["object/codec"] },
  { page: "instructions", title: "Instructions", rooms: ["object/asm"] },
  { page: "btf", title: "BTF: the kernel's types", rooms: ["object/btf"] },
  { page: "system", title: "Descriptors, errors and the kernel around them", rooms: ["runtime/sys"] },
  { page: "kernel", title: "The words of kernel TypeScript", rooms: ["language/kernel"] },
  { page: "testing", title: "Programs in tests, without a kernel", rooms: ["language/interp"] },
  { page: "trace", title: "`skep trace` as a library", rooms: ["tools/trace", "machine/proc"] },
  { page: "doctor", title: "`skep doctor` as a library", rooms: ["tools/doctor"] },
  { page: "inspect", title: "`skep prog`, `skep map`, `skep link` as a library", rooms: ["tools/inspect"] },
];

/** The page for what `module` exports from the file `path` of the declarations. */
export function pageFor(path, module) {
  let found;
  let length = -1;
  for (const entry of PAGES) {
    for (const room of entry.rooms) {
      if (path.startsWith(room) && room.length > length) {
        found = entry;
        length = room.length;
      }
    }
  }
  if (found !== undefined) return found;
  const page = module.split("/").slice(1).join("-") || module;
  return { page, title: `\`${module}\`` };
}
