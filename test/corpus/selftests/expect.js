// Loads and runs the selftests' programs as their annotations say, in a process with the capabilities that they are for.
//
//   node expect.js REFERENCE OBJECT…      prints a line of JSON for each object
import { basename } from "node:path";
import { openObject } from "../../../dist/sdk/index.js";
import { isTyped, ourTest } from "../ours.js";
import { theirTests } from "../reference.js";
import { deviation, testsOf } from "./annotations.js";

const firstLine = (error) => error.message.split("\n")[0];

function ourAnswer(file, test) {
  const { failure, log, retval, runFailure } = ourTest(file, test);
  if (failure !== undefined && !isTyped(failure)) throw failure;
  return {
    refused: failure === undefined ? undefined : `${failure.code}: ${firstLine(failure)}`,
    log,
    retval,
    runError: runFailure === undefined ? undefined : firstLine(runFailure),
  };
}

function theirAnswer({ error, errno, reached, log, retval, runErrno }) {
  return {
    refused: error === 0 ? undefined : `libbpf: ${error}, ${reached ? `the kernel: ${errno}` : "before the kernel"}`,
    log,
    retval,
    runError: runErrno === undefined ? undefined : `errno ${runErrno}`,
  };
}

/** Tests that hold, and those that do not: with what libbpf makes of the same. */
function examine(file, reference) {
  const object = basename(file, ".bpf.o");
  const all = testsOf(object, openObject(file));
  const tests = all.filter(({ privileged, elsewhere }) => privileged && !elsewhere);
  const deviating = [];
  for (const test of tests) {
    const ours = deviation(test, ourAnswer(file, test));
    if (ours !== undefined) deviating.push({ test, ours });
  }
  const answers =
    deviating.length === 0
      ? []
      : theirTests(
          reference,
          file,
          deviating.map(({ test }) => test),
        );
  const count = (what) => tests.filter(what).length;
  return {
    object,
    tests: tests.length,
    held: tests.length - deviating.length,
    failures: count(({ failure }) => failure),
    messages: tests.reduce((sum, { messages }) => sum + messages.length, 0),
    runs: count(({ run }) => run),
    unprivileged: all.filter(({ unprivileged, elsewhere }) => unprivileged && !elsewhere).length,
    elsewhere: all.filter(({ elsewhere }) => elsewhere).length,
    more: tests.reduce((sum, { more }) => sum + more, 0),
    deviations: deviating.map(({ test, ours }, i) => ({
      name: test.name,
      ours,
      theirs: answers[i] === undefined ? "no answer" : deviation(test, theirAnswer(answers[i])),
    })),
  };
}

const [reference, ...files] = process.argv.slice(2);
for (const file of files) {
  try {
    console.log(JSON.stringify(examine(file, reference)));
  } catch (error) {
    console.log(JSON.stringify({ object: basename(file, ".bpf.o"), fault: error.stack }));
  }
}
