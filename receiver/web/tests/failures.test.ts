import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../src/api.ts";
import { describeFailure } from "../src/failures.ts";

test("a refused question is not called a lost connection", () => {
  assert.match(describeFailure(new ApiError(422, "start is too far back")), /Not everything could be read/);
  for (const error of [new ApiError(0), new ApiError(503), new ApiError(429), new TypeError("network")]) {
    assert.match(describeFailure(error), /No connection/);
  }
});
