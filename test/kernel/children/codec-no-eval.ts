// Run with --disallow-code-generation-from-strings: the codecs and the ring's drain loop must do without.
import assert from "node:assert/strict";
import { checkDecoding, checkRoundTrips } from "../../support/codec-laws.ts";

// oxlint-disable-next-line typescript/no-implied-eval -- to see that it is forbidden
assert.throws(() => new Function("return 1"), EvalError);
checkRoundTrips(200);
checkDecoding(200);
console.log("done");
