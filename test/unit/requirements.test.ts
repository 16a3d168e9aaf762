import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decide, isAtLeast, type Machine, type Probed } from "../support/requirements.ts";

const EPERM = { error: "EPERM", reason: "No needed capability is missing." };

function machine(over: Partial<Machine> = {}, probes: readonly Probed[] = []): Machine {
  return {
    root: true,
    release: "6.12.5-cloud-amd64",
    virtual: false,
    option: (name) => (name === "CONFIG_OFF" ? "n" : "y"),
    probe: (_, name) => probes.find((probe) => probe.name === name),
    hasCommand: (name) => name === "sh",
    refusals: { lsm: "EPERM", freplace: "EPERM" },
    ...over,
  };
}

describe("when a kernel test may be skipped", () => {
  it("runs what needs nothing, or what is there", () => {
    expect(decide({}, machine())).toEqual({ run: true });
    const there = machine({}, [{ name: "lsm", status: "supported", since: "5.7" }]);
    expect(decide({ kernel: "6.12", config: "CONFIG_ON", attach: "lsm", command: "sh" }, there)).toEqual({ run: true });
  });

  it("skips on an older kernel, on a kernel built without an option, without root or a command", () => {
    expect(decide({ kernel: "6.13" }, machine())).toEqual({
      run: false,
      skip: "needs Linux 6.13, this is 6.12.5-cloud-amd64",
    });
    expect(decide({ config: ["CONFIG_ON", "CONFIG_OFF"] }, machine())).toEqual({
      run: false,
      skip: "this kernel is built without CONFIG_OFF",
    });
    expect(decide({}, machine({ root: false }))).toEqual({ run: false, skip: "needs root" });
    expect(decide({ command: ["sh", "nosuch"] }, machine())).toEqual({ run: false, skip: "nosuch is not installed" });
    expect(decide({ unless: "there is no second CPU" }, machine())).toEqual({
      run: false,
      skip: "there is no second CPU",
    });
  });

  it("does not take an unknown build configuration for a reason", () => {
    expect(decide({ config: "CONFIG_OFF" }, machine({ option: () => undefined }))).toEqual({ run: true });
  });

  it("fails where the kernel should have the feature", () => {
    for (const status of ["unsupported", "refused", "unknown"] as const) {
      const here = machine({}, [{ name: "uprobes", status, since: "4.17" }]);
      expect(decide({ attach: "uprobes" }, here)).toMatchObject({ run: false, fail: expect.any(String) });
    }
    expect(decide({ map: "misspelt" }, machine())).toEqual({ run: false, fail: "No probe is called misspelt." });
  });

  it("skips what came later than this kernel, as the probe has recorded", () => {
    const here = machine({}, [{ name: "insn_array", status: "unsupported", since: "6.19" }]);
    expect(decide({ map: "insn_array" }, here)).toMatchObject({ skip: expect.stringContaining("needs Linux 6.19") });
  });

  it("skips LSM programs where the kernel was booted without bpf in lsm=", () => {
    const reason = "They load, but are never called: bpf is not in the kernel's list of security modules.";
    const here = machine({ virtual: true }, [{ name: "lsm", status: "unsupported", since: "5.7", reason }]);
    expect(decide({ attach: "lsm" }, here)).toMatchObject({
      skip: expect.stringContaining("list of security modules"),
    });
  });

  it("takes the listed refusals as a reason on a development machine, never in a virtual machine", () => {
    const probes: Probed[] = [
      { name: "lsm", status: "refused", since: "5.7", ...EPERM },
      { name: "ext", status: "refused", since: "5.6", ...EPERM },
      { name: "tcx", status: "refused", since: "6.6", ...EPERM },
    ];
    expect(decide({ attach: "lsm" }, machine({}, probes))).toMatchObject({
      skip: expect.stringContaining("host-refusals.json"),
    });
    expect(decide({ program: "ext" }, machine({}, probes))).toMatchObject({ skip: expect.any(String) });
    expect(decide({ attach: "lsm" }, machine({ virtual: true }, probes))).toMatchObject({ fail: expect.any(String) });
    // Not listed, or another answer than the listed one.
    expect(decide({ attach: "tcx" }, machine({}, probes))).toMatchObject({ fail: expect.any(String) });
    const other = machine({}, [{ name: "lsm", status: "unsupported", since: "5.7", error: "EINVAL" }]);
    expect(decide({ attach: "lsm" }, other)).toMatchObject({ fail: expect.any(String) });
  });

  it("knows which of two versions is newer", () => {
    expect(isAtLeast("5.10.0-28-amd64", "5.8")).toBe(true);
    expect(isAtLeast("5.10.0", "5.10")).toBe(true);
    expect(isAtLeast("5.8.18", "5.10")).toBe(false);
    expect(isAtLeast("6.1", "5.19")).toBe(true);
  });

  it("has the list of what development machines refuse", () => {
    const file = new URL("../host-refusals.json", import.meta.url);
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")) as object).sort()).toEqual(
      ["fentry", "fexit", "fmod_ret", "freplace", "lsm", "lsm_cgroup"].sort(),
    );
  });
});
