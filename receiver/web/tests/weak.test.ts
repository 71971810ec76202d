import assert from "node:assert/strict";
import { test } from "node:test";
import type { InverterEntry, PanelDay } from "../src/schema.ts";
import { listPanelNotices } from "../src/panel_health.ts";
import { isBehind, judgeDays } from "../src/weak.ts";

const makeDay = (number: number, ratio: number | null, rest: Partial<PanelDay> = {}) =>
  ({ local_start: `2026-11-${String(number).padStart(2, "0")}T00:00:00+01:00`, in_progress: false, ratio, peers_wh: 1000, ...rest }) as PanelDay;
const findSince = (days: PanelDay[]) => judgeDays(days).since?.local_start.slice(8, 10) ?? null;

test("a panel is behind since the first of the days in a row on which it gave less than its peers", () => {
  assert.equal(findSince([0.98, 0.5, 1.0, 0.6, 0.7, 0.65, 0.6].map((ratio, i) => makeDay(i + 1, ratio))), "04");
});

test("one bad day, a dark one, an unknown one and the day in progress put nobody behind", () => {
  assert.equal(findSince([makeDay(1, 1), makeDay(2, 0.97), makeDay(3, 0.4)]), null);
  assert.equal(findSince([1, 2, 3].map((number) => makeDay(number, 0.3, { peers_wh: 20 }))), null);
  assert.equal(findSince([makeDay(1, 0.5), makeDay(2, null), makeDay(3, 0.5), makeDay(4, 0.5, { in_progress: true })]), null);
  assert.equal(findSince([...[0.5, 0.5, 0.5].map((ratio, i) => makeDay(i + 1, ratio)), makeDay(4, 1)]), null); // it recovered
  assert.ok(!isBehind(makeDay(1, 0.9)));
});

test("silent panels and those behind are named with the time when it began; weak is what the alarm says", () => {
  const silent = { inverter: "1", name: "Roof 1", state: "silent", timestamp: Date.parse("2026-11-21T09:30Z"), age_seconds: 9 } as InverterEntry;
  const weak = { inverter: "2", name: "Roof 2", state: "producing", timestamp: 0, age_seconds: 9 } as InverterEntry;
  const days = new Map([["2", [1, 2, 3].map((number) => makeDay(number, 0.5))]]);
  const found = listPanelNotices([silent, weak], days, new Set(), "UTC");
  assert.deepEqual(found.map((notice) => notice.title), ["Roof 1 is silent", "Roof 2 is behind its peers"]);
  assert.match(found[0]!.advice, /since 21 Nov,? 09:30/);
  assert.match(found[1]!.advice, /Since 1 Nov .* 50\s%/);
  assert.equal(found[1]!.alarm, undefined);
  const [, named] = listPanelNotices([silent, weak], days, new Set(["2"]), "UTC");
  assert.deepEqual([named!.title, named!.alarm, named!.subjects], ["Roof 2 is weak", "panel-weak", ["2"]]);
  assert.deepEqual(listPanelNotices([silent, { ...silent, name: "Roof 3" }], new Map(), new Set(), "UTC")[0]!.title, "2 panels are silent");
});
