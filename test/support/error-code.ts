import assert from "node:assert/strict";
import { SystemError } from "../../src/sdk/index.ts";

/** The code of the SystemError that an action throws, or `no error`; fails for any other error. */
export function errorCode(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof SystemError, String(error));
    return error.code;
  }
  return "no error";
}
