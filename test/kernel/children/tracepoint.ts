// Attaches to tracepoints by group:name in a tracefs, counting only, and asserts what comes of it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { loadObject, openFds, TracepointError, trackFds } from "../../../src/sdk/index.ts";
import { callGetpgid, counterMap, ownAndOtherProgram } from "../../support/probe-programs.ts";

trackFds();
const burst = process.argv[2] as string;
{
  using object = loadObject({ maps: { counts: counterMap }, programs: { p: ownAndOtherProgram() } });
  const { maps, programs } = object;
  const own = () => maps.counts.get(0)?.[0];
  const link = programs.p.attachTracepoint("syscalls:sys_enter_getpgid");
  callGetpgid(10);
  assert.equal(own(), 10n);
  // A tracepoint takes a program once; the same program loaded again is another one. By its other spelling, too.
  assert.throws(
    () => programs.p.attachTracepoint("syscalls:sys_enter_getpgid"),
    /^SystemError: .*EEXIST.*load the program once more/,
  );
  using again = loadObject({ maps: { counts: counterMap }, programs: { p: ownAndOtherProgram() } }, { maps });
  const second = again.programs.p.attachTracepoint("syscalls/sys_enter_getpgid");
  callGetpgid(10);
  assert.equal(own(), 30n);
  second.close();
  second.close();
  callGetpgid(10);
  assert.equal(own(), 40n);
  link.close();
  callGetpgid(10);
  assert.equal(own(), 40n);
}
{
  // It runs for every process: who wants one only must say so in the program.
  using object = loadObject({ maps: { counts: counterMap }, programs: { p: ownAndOtherProgram() } });
  using link = object.programs.p.attachTracepoint("syscalls:sys_enter_getppid");
  assert.equal(link.description, "tracepoint syscalls:sys_enter_getppid");
  assert.equal(spawnSync(burst, ["500"]).status, 0);
  const others = object.maps.counts.get(0)?.[1] as bigint;
  assert.ok(others >= 500n, String(others));
}
{
  using object = loadObject({ maps: { counts: counterMap }, programs: { p: ownAndOtherProgram() } });
  const { p } = object.programs;
  assert.throws(
    () => p.attachTracepoint("syscalls:sys_enter_nosuch"),
    (error: unknown) => {
      assert.ok(error instanceof TracepointError);
      assert.equal(error.message, "This kernel has no tracepoint syscalls:sys_enter_nosuch.");
      return true;
    },
  );
  for (const bad of ["sys_enter", "a:b:c", "../../etc:passwd", "", "syscalls:"]) {
    assert.throws(() => p.attachTracepoint(bad), /^TracepointError: ".*" is not a tracepoint: write it as group:name/);
  }
}
assert.deepEqual(
  openFds().map((fd) => fd.stack),
  [],
);
console.log("done");
