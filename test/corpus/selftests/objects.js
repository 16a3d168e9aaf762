// The selftests' programs, compiled: each progs/X.c becomes X.bpf.o, once.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bpf, CLANG, compiled, include, prepareSource, run, tree } from "./source.js";
import { provideTestModule } from "./testmod.js";

/** As the selftests' Makefile has them. */
const FLAGS = "-g -O2 -w -mcpu=v3 --target=bpf -mlittle-endian -D__TARGET_ARCH_x86 -DENABLE_ATOMICS_TESTS".split(" ");
const NO_STRICT_ALIASING =
  /^(bind[46]_prog|dynptr_fail|linked_list_fail|map_kptr_fail|syscall|test_pkt_md_access|test_sk_lookup|timer_crash|test_global_func9|verifier_nocsr)\.c$/;
const NO_INLINE = /^test_(l4lb|xdp)_noinline\.c$/;

/** What the host's compiler looks through, behind all else: `asm/byteorder.h` and the like. */
function hostIncludes() {
  const { stderr, error } = spawnSync(CLANG, ["-v", "-E", "-x", "c", "/dev/null"], { encoding: "utf8" });
  if (error !== undefined) throw new Error(`corpus: ${CLANG} cannot be run: ${error.message}`);
  const list =
    /search starts here:\n([\s\S]*)End of search list/.exec(stderr.slice(stderr.indexOf("<...>")))?.[1] ?? "";
  return list.split("\n").flatMap((line) => (line.startsWith(" /") ? ["-idirafter", line.trim()] : []));
}

/**
 * Compiles what is not compiled yet.
 * @returns {Promise<{ objects: string[], failed: string[] }>} failed: what this compiler does not take, which is
 *   remembered
 */
export async function selftestObjects(only) {
  await prepareSource();
  await provideTestModule();
  mkdirSync(compiled, { recursive: true });
  const sources = readdirSync(join(bpf, "progs")).filter((name) => name.endsWith(".c") && only.test(name.slice(0, -2)));
  const includes = [include, bpf, join(tree, "tools/include/uapi"), join(tree, "tools/include")];
  const shared = [...FLAGS, ...includes.map((path) => `-I${path}`), ...hostIncludes()];
  const objects = [];
  const failed = [];
  let told = false;
  for (const source of sources.sort()) {
    const object = join(compiled, source.replace(/\.c$/, ".bpf.o"));
    const refusal = `${object}.failed`;
    if (!existsSync(object) && !existsSync(refusal)) {
      if (!told) console.error("corpus: compiling the selftests' programs");
      told = true;
      const own = [
        ...(NO_STRICT_ALIASING.test(source) ? ["-fno-strict-aliasing"] : []),
        ...(NO_INLINE.test(source) ? ["-fno-inline"] : []),
      ];
      try {
        run(CLANG, [...shared, ...own, "-c", join(bpf, "progs", source), "-o", `${object}.new`]);
        renameSync(`${object}.new`, object);
      } catch (error) {
        writeFileSync(refusal, error.message);
      }
    }
    if (existsSync(object)) objects.push(object);
    else failed.push(basename(source));
  }
  return { objects, failed };
}
