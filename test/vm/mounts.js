// Which of this machine's file systems the guest must see, and how the command that serves them is written.
import { readFileSync } from "node:fs";

/** The mount points of this process, unescaped (proc(5), mountinfo). */
export function mountPoints(mountinfo = readFileSync("/proc/self/mountinfo", "utf8")) {
  return mountinfo
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before, after] = line.split(" - ");
      const path = before
        .split(" ")[4]
        .replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
      return { path, type: after.split(" ")[0] };
    });
}

/** What the kernel makes up: the guest has its own. */
const OF_THE_KERNEL =
  /^(proc|sysfs|cgroup2?|devtmpfs|devpts|mqueue|bpf|debugfs|tracefs|securityfs|autofs|fusectl|configfs|efivarfs|pstore|binfmt_misc|nsfs|hugetlbfs)$/;

const isBelow = (path, folder) => path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);

/**
 * The mount points besides / that hold one of these paths or lie below one, parents first. A bind mount of / alone would
 * show empty folders there. What is mounted in something of the kernel's (a tmpfs for cgroups, in /sys) has no folder to be in.
 */
export function mountsFor(paths, mounts = mountPoints()) {
  const own = mounts.filter(({ type }) => OF_THE_KERNEL.test(type)).map(({ path }) => path);
  return [...new Set(mounts.filter(({ type }) => !OF_THE_KERNEL.test(type)).map(({ path }) => path))]
    .filter((mount) => mount !== "/" && paths.some((path) => isBelow(path, mount) || isBelow(mount, path)))
    .filter((mount) => !own.some((folder) => isBelow(mount, folder) && !paths.some((path) => isBelow(path, mount))))
    .sort((a, b) => a.length - b.length);
}
