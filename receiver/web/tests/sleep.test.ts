import assert from "node:assert/strict";
import { test } from "node:test";
import { computeFlows } from "../src/flows.ts";
import { hasHouseMeter } from "../src/phases.ts";
import type { InverterEntry, MeterEntry } from "../src/schema.ts";
import { describeRoof, findSleep, isAsleep } from "../src/sleep.ts";

const NOW = Date.parse("2026-11-21T18:00Z");
const heard = { isHeard: true, production: null };
const makeReport = (age: number, power: number, state: InverterEntry["state"]): InverterEntry =>
  ({ inverter: String(age), age_seconds: age, timestamp: NOW - age * 1000, power, state, interval: 900, speaks: age <= 1800 });

test("the roof is asleep since its last report of power", () => {
  const roof = [makeReport(6_600, 72, "idle"), makeReport(7_200, 91, "idle")];
  assert.equal(describeRoof(roof, heard, "UTC", NOW), "asleep since 16:10");
  assert.deepEqual(roof.map((panel) => isAsleep(panel, roof)), [true, true]);
});

test("who reports nothing all night is asleep, and nobody says since when", () => {
  assert.equal(describeRoof([makeReport(60, 0, "idle"), makeReport(70, 1, "idle")], heard, "UTC", NOW), "asleep");
});

test("nobody sleeps where the scraper is silent or the meter sees the sun", () => {
  const roof = [makeReport(6_600, 700, "idle")];
  assert.equal(findSleep(roof, { isHeard: false, production: null }), null);
  assert.equal(findSleep(roof, { isHeard: true, production: 900 }), null);
  assert.match(describeRoof(roof, { isHeard: true, production: 900 }, "UTC", NOW), /^no report, last /);
});

test("a young report of nothing among panels that give power is a value, an old report is none", () => {
  const roof = [makeReport(60, 0, "idle"), makeReport(60, 300, "producing"), makeReport(1_801, 300, "silent")];
  assert.deepEqual(roof.map((panel) => isAsleep(panel, roof)), [false, false, true]);
});

test("nothing flows to a house that is not measured", () => {
  const flows = computeFlows({ production: 3000, load: null, net: null, battery: null });
  assert.deepEqual(new Set(Object.values(flows)), new Set([0]));
});

test("a house is measured by a meter of the grid or of the load that speaks as the others do", () => {
  const makeMeter = (name: string, age: number) => ({ meter: name, phase: "a", timestamp: 0, age_seconds: age }) as MeterEntry;
  assert.ok(hasHouseMeter([makeMeter("production", 1), makeMeter("net-consumption", 2)]));
  assert.ok(!hasHouseMeter([makeMeter("production", 1), makeMeter("net-consumption", 90_000)]));
  assert.ok(hasHouseMeter([makeMeter("production", 90_000), makeMeter("total-consumption", 90_000)]));
  assert.ok(!hasHouseMeter([]));
});
