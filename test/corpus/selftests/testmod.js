// The selftests' own kernel module, bpf_testmod: built for the virtual machines' kernel, and loaded in them only.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { release as osRelease } from "node:os";
import { join } from "node:path";
import { kernelFolder } from "../../vm/home.js";
import { packageFolder } from "../packages.js";
import { bpf, folder, run, SERIES } from "./source.js";

const NAME = "bpf_testmod";
const VM = `virtual machines of Linux ${SERIES}`;
/** The file that the module gives to user space: who reads it passes the module's tracepoint. */
export const TEST_FILE = `/sys/kernel/${NAME}`;

/** The kernel it is for, as it calls itself, and where it is kept: Debian's kernels are renewed. */
function target() {
  const release = readFileSync(join(kernelFolder(SERIES), "release"), "utf8").trim();
  return { release, module: join(folder, `${NAME}-${release}.ko`) };
}

/**
 * What it takes to build modules for a kernel of Debian's, from three packages that expect each other below /usr: in one
 * tree here, nothing is installed.
 */
async function buildTree(release, root) {
  const common = `linux-headers-${release.replace(/-cloud-amd64$/, "-common")}`;
  const kbuild = `linux-kbuild-${release.replace(/-cloud-amd64$/, "")}`;
  const headers = `linux-headers-${release}`;
  for (const name of [headers, common, kbuild])
    cpSync(await packageFolder(name), root, { recursive: true, verbatimSymlinks: true });
  const sources = join(root, "usr/src");
  const makefile = join(sources, headers, "Makefile");
  writeFileSync(makefile, readFileSync(makefile, "utf8").replaceAll("/usr/src", sources));
  return join(sources, headers);
}

/**
 * The module is built where it is not there yet, and loaded where this is a virtual machine of the kernel that it is for. Only
 * there is it missed: elsewhere one that cannot be built is told of, and does not stop anybody.
 */
export async function provideTestModule() {
  if (process.env.SKEP_VM === "1") {
    loadTestModule();
    return;
  }
  try {
    await buildTestModule();
  } catch (error) {
    console.error(`corpus: ${NAME} is not there for ${VM}: ${error.message}`);
  }
}

/** Needs gcc, make and pahole, which writes the module's types. */
async function buildTestModule() {
  const { release, module } = target();
  if (existsSync(module)) return;
  console.error(`corpus: building ${NAME} for Linux ${release}`);
  run("pahole", ["--version"]);
  const work = join(folder, `${NAME}.new`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const tree = await buildTree(release, work);
  const source = join(work, NAME);
  cpSync(join(bpf, NAME), source, { recursive: true });
  run("make", ["-C", tree, `M=${source}`, "CC=gcc", "modules"]);
  renameSync(join(source, `${NAME}.ko`), module);
  rmSync(work, { recursive: true, force: true });
}

export const hasTestModule = () => existsSync(TEST_FILE);

function loadTestModule() {
  if (hasTestModule() || !osRelease().startsWith(`${SERIES}.`)) return;
  const { module } = target();
  if (!existsSync(module))
    throw new Error(`corpus: ${NAME} is not built: run \`npm run corpus -- --core\` outside first`);
  run("insmod", [module], { env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` } });
}
