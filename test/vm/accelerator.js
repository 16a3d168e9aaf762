// How the guest's instructions are run: KVM where it truly works, else QEMU's own translation.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home } from "./home.js";
import { toolEnvironment } from "./tools.js";

const TCG = { name: "tcg", arguments: "tcg,thread=multi,tb-size=256" };
const KVM = { name: "kvm", arguments: "kvm" };

/** Remembers for this boot of the host that KVM failed, so that no other run waits for it. */
const failedFile = join(home, "kvm-failed");
const bootId = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8");

export function kvmFailed() {
  writeFileSync(failedFile, bootId());
}

/** The ones to try, in order. SKEP_VM_KVM=0 leaves KVM out. */
export function accelerators(tools) {
  return process.env.SKEP_VM_KVM !== "0" && kvmAnswers(tools) ? [KVM, TCG] : [TCG];
}

/** The device alone says little: on many rented machines it is there and no machine can be made with it. */
function kvmAnswers(tools) {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  if (existsSync(failedFile) && readFileSync(failedFile, "utf8") === bootId()) return false;
  const qemu = tools["qemu-system-x86_64"];
  const { status } = spawnSync(
    qemu,
    ["-accel", "kvm", "-cpu", "max", "-machine", "q35", "-nodefaults", "-display", "none", "-S", "-monitor", "stdio"],
    { input: "quit\n", timeout: 5000, killSignal: "SIGKILL", env: toolEnvironment(qemu) },
  );
  if (status !== 0) kvmFailed();
  return status === 0;
}
