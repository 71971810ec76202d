import assert from "node:assert/strict";
import { test } from "node:test";
import { compareSystems } from "../src/ranking.ts";

test("the worst system comes first, and the fine ones by name", () => {
  const makeHealth = (name: string, rest = {}) => ({ serial: name, name, bad: 0, warnings: 0, age: 5, ...rest });
  const systems = [makeHealth("B 10"), makeHealth("B 2", { age: 200 }), makeHealth("silent", { age: 4000 }), makeHealth("warned", { warnings: 2 }), makeHealth("broken", { bad: 1 })];
  assert.deepEqual(systems.sort(compareSystems).map((one) => one.name), ["broken", "warned", "silent", "B 2", "B 10"]);
});
