// Where strace comes from: the machine, or else its package.
import { spawnSync } from "node:child_process";

const works = () => spawnSync("strace", ["-V"], { stdio: "ignore" }).status === 0;

/** The command to run; installs the package when there is none. Ends the process when that fails, too. */
export function straceCommand() {
  if (works()) return "strace";
  console.log("strace is not installed: installing its package.");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () =>
    spawnSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", "strace"], { env, encoding: "utf8" });
  let done = install();
  if (done.status !== 0) {
    spawnSync("apt-get", ["update", "-q"], { env });
    done = install();
  }
  if (works()) return "strace";
  const why = (done.error?.message ?? done.stderr ?? "").trim();
  console.error(
    `The comparison needs strace, and its package could not be installed${why === "" ? "" : ` (${why})`}. Install strace and run it again.`,
  );
  process.exit(2);
}
