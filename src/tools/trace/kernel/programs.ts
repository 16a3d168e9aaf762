import { Assembler, type ProgramSpec, r0, r1 } from "../../../sdk/index.ts";
import { captureProgram } from "./capture-program.ts";
import { enterProgram } from "./enter.ts";
import { exitProgram, reportProgram } from "./exit.ts";
import { AGAIN, Control } from "./layout.ts";
import { forkProgram, signalProgram, signalSentProgram, threadExitProgram } from "./lifecycle.ts";
import type { KernelOptions } from "./options.ts";
import { programSpec } from "./program-spec.ts";

/** The programs for these options, by the names under which TRACEPOINTS and Step know them. */
export function assemblePrograms(options: KernelOptions): Record<string, ProgramSpec> {
  const calls = options.throughPerf === true ? "tracepoint" : "raw_tracepoint";
  const programs: Record<string, ProgramSpec> = {
    thread_exit: programSpec("thread_exit", threadExitProgram(options), calls),
    fork: programSpec("fork", forkProgram(options)),
    exit: programSpec("exit", exitProgram(options), calls),
    enter: programSpec("enter", enterProgram(options), calls),
  };
  // Where a program is skipped because another thread was preempted in it, its second copy is not.
  const again = (name: string, instructions: ProgramSpec["instructions"]) => {
    if (options.throughPerf === true) programs[`${name}${AGAIN}`] = programSpec(`${name}${AGAIN}`, instructions);
  };
  again("fork", forkProgram(options));
  if (options.target === "command") programs["who"] = programSpec("who", whoProgram());
  if (options.mode === "calls") {
    programs["capture"] = programSpec("capture", captureProgram(), calls);
    programs["report"] = programSpec("report", reportProgram(), calls);
    programs["signal_sent"] = programSpec("signal_sent", signalSentProgram());
    again("signal_sent", signalSentProgram());
    programs["signal"] = programSpec("signal", signalProgram(options), calls);
  }
  return programs;
}

/** Writes the current thread's task_struct address into the control map; run by hand, never attached. */
function whoProgram(): ProgramSpec["instructions"] {
  const a = new Assembler();
  a.call("get_current_task").loadMapValue(r1, "control", Control.parent).store("u64", r1, 0, r0).mov(r0, 0).exit();
  return a.instructions();
}
