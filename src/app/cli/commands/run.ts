import { writeFileSync } from "node:fs";
import { VerifierError } from "../../../sdk/index.ts";
import {
  checkJson,
  compileFile,
  compileText,
  diagnosticsText,
  jsonView,
  rejectionText,
  runSession,
  textView,
} from "../../../tools/run/index.ts";
import { CommandError } from "../../../tools/trace/command.ts";
import { Output } from "../../../tools/trace/output.ts";
import { isColored } from "../color.ts";
import { orJsonError } from "../json-error.ts";
import { numberOption } from "../number-option.ts";
import { note, print, untilInterrupted } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  execute: { type: "string", short: "e" },
  param: { type: "string", short: "P", multiple: true },
  for: { type: "string" },
  top: { type: "string" },
  json: { type: "boolean" },
  log: { type: "string" },
  "no-cache": { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const;

const HELP = `skep run: kernel TypeScript, compiled, loaded and shown

Usage: skep run [OPTIONS] FILE.bpf.ts [-- COMMAND…]
       skep run [OPTIONS] -e 'ONE-LINER' [-- COMMAND…]

  -e, --execute TEXT       a one-liner: nothing needs to be imported or declared
  -P, --param NAME=VALUE   what a parameter of the module is; can be repeated
      --for SECONDS        end after so long; else with the command, or with Ctrl-C
      --top N              rows of each map that are shown at the end; 30 when left out
      --json               one JSON object a line: events as they come, then maps, then what was lost
      --log FILE           the verifier's log, when the kernel refuses what was compiled
      --no-cache           compile anew, and keep nothing in ~/.cache/skep
  -q, --quiet              say nothing on standard error when all is attached
      --color, --no-color

Events are shown as they come. At the end come what was counted, added up and spread, greatest first, and what was lost. A
parameter (or a name of a one-liner) "cpid" is the process id of COMMAND. Iterators are gone through once, when all is attached;
where there is nothing else, that is the run.

The exit code is the command's; without one 0, 1 when it cannot be compiled or loaded, 2 for wrong options, 3 when rights are
missing.

Examples:
  skep run -e 'tp("syscalls:sys_enter_openat", count[comm()]++)'
  skep run -e 'tp("syscalls:sys_exit_read", hist[comm()](ctx.ret))' --for 10
  skep run opensnoop.bpf.ts --param targetPid=1234
  skep run --json opensnoop.bpf.ts | jq .event.file
`;

export async function run(args: readonly string[]): Promise<number> {
  const at = args.indexOf("--");
  const words = at < 0 ? [] : args.slice(at + 1);
  const command = readCommand("run", HELP, OPTIONS, at < 0 ? args : args.slice(0, at));
  if (typeof command === "number") return command;
  const { values, usage } = command;
  const [file, ...more] = command.words;
  const { execute } = values;
  if (execute === undefined ? file === undefined || more.length > 0 : file !== undefined)
    return usage("Name one file, or give a one-liner with -e. skep run --help tells more.");
  if (at >= 0 && words.length === 0) return usage("Behind -- stands a command.");
  const seconds = values.for === undefined ? undefined : numberOption("for", values.for, 0, 0);
  if (typeof seconds === "string") return usage(seconds);
  const top = numberOption("top", values.top, 30, 0);
  if (typeof top === "string") return usage(top);
  return orJsonError(values.json, async () => {
    const options = { cache: values["no-cache"] !== true, trying: true };
    const compilation = execute === undefined ? compileFile(file as string, options) : compileText(execute, options);
    if (values.json === true && compilation.hasErrors) print(checkJson([compilation]));
    else if (compilation.diagnostics.length > 0) note(diagnosticsText(compilation, isColored(values, process.stderr)));
    const { plan } = compilation;
    if (plan === undefined || compilation.hasErrors) return 1;
    const abort = new AbortController();
    untilInterrupted().addEventListener("abort", () => abort.abort(), { once: true });
    const attached = (programs: number, goesOn: boolean) => {
      if (values.quiet === true || values.json === true) return;
      const end = goesOn ? "; Ctrl-C ends" : "";
      note(`skep run: ${programs} program${programs === 1 ? " is" : "s are"} attached${end}.\n`);
    };
    try {
      return await runSession(plan, {
        otherwise: compilation.otherwise,
        taken: compilation.keep,
        params: values.param ?? [],
        signal: abort.signal,
        output: Output.open("-", () => abort.abort()),
        view: values.json === true ? jsonView() : textView(plan, top),
        attached,
        ...(seconds !== undefined && { seconds }),
        ...(words.length > 0 && { command: words }),
      });
    } catch (error) {
      if (error instanceof CommandError) {
        note(`skep run: ${error.message}\n`);
        return error.exitCode;
      }
      if (!(error instanceof VerifierError)) throw error;
      if (values.log !== undefined) writeFileSync(values.log, error.log);
      note(rejectionText(compilation, error, isColored(values, process.stderr)));
      return 1;
    }
  });
}
