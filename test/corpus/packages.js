// Debian's packages, fetched into a folder of the user's and unpacked there: nothing is installed. The machinery is the
// virtual machines': it knows other releases than this machine's, too.
//
//   node test/corpus/packages.js NAME FOLDER      (called under the lock, when the package is not there yet)
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { download, unpack, update } from "../vm/apt.js";
import { runLocked, VmError } from "../vm/home.js";

export const cache = process.env.SKEP_CORPUS_CACHE || join(homedir(), ".cache", "skep", "corpus");

/** Where a package is unpacked; fetched first when it is not there. */
export async function packageFolder(name) {
  const folder = join(cache, name);
  if (!existsSync(folder)) await runLocked(fileURLToPath(import.meta.url), [name, folder]);
  return folder;
}

function fetch(name, folder) {
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  update();
  if (download([name], fresh) !== undefined) {
    // The lists may be older than what the mirror holds now.
    update(true);
    const problem = download([name], fresh);
    if (problem !== undefined) throw new VmError(`apt-get could not fetch ${name}:\n${problem}`);
  }
  for (const deb of readdirSync(fresh).filter((file) => file.endsWith(".deb"))) {
    unpack(join(fresh, deb), fresh);
    rmSync(join(fresh, deb));
  }
  renameSync(fresh, folder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    fetch(process.argv[2], process.argv[3]);
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`corpus: ${error.message}`);
    process.exit(1);
  }
}
