import assert from "node:assert/strict";
import { test } from "node:test";
import { selectFrom } from "../src/known.ts";
import type { EnergyWindow } from "../src/schema.ts";
import { computeKnownShare, findSpan, isDate, type SpanKind } from "../src/spans.ts";
import { chooseScale, splitWindow } from "../src/stacks.ts";

const NOW = Date.parse("2026-11-21T12:00Z"); // a Saturday
const find = (kind: SpanKind, date: string | null, first: string | null = null) => findSpan(kind, date, NOW, "Europe/Berlin", first);

test("weeks begin on Monday, months and years on their first day", () => {
  const findEnds = (kind: SpanKind) => { const { date, next } = find(kind, "2028-02-29"); return [date, next]; };
  assert.deepEqual(findEnds("week"), ["2028-02-28", "2028-03-06"]);
  assert.deepEqual(findEnds("month"), ["2028-02-01", "2028-03-01"]);
  assert.deepEqual(findEnds("year"), ["2028-01-01", "2029-01-01"]);
  assert.deepEqual([find("month", "2026-12-31").next, find("week", "2026-11-22").date], ["2027-01-01", "2026-11-16"]);
});

test("all years begin with the first readings, and are cut into years", () => {
  const all = find("all", "2024-05-05", "2023-07-01");
  assert.deepEqual([all.date, all.next, all.every, all.isCurrent], ["2023-01-01", "2027-01-01", "1y", true]);
});

test("a span says what it is called and whether it goes on", () => {
  assert.deepEqual(["week", "month", "year"].map((kind) => find(kind as SpanKind, null).name), ["This week", "November 2026", "2026"]);
  assert.match(find("week", "2026-10-01").name, /^28 Sept?\s?[–-]\s?4 Oct 2026$/);
  assert.deepEqual([find("month", null).isCurrent, find("month", "2026-10-31").isCurrent], [true, false]);
});

test("only dates that there are come out of an address", () => {
  assert.deepEqual(["2026-02-28", "2026-02-30", "2026-2-3", "", "x"].map(isDate), [true, false, false, false, false]);
});

test("time before the first readings and after now is not missing", () => {
  const year = find("year", null, "2026-11-20");
  const day = 86_400_000;
  const known = computeKnownShare((1.5 * day) / (year.stop - year.start), year, Date.parse("2026-11-21T11:00Z"), "2026-11-20");
  assert.ok(known > 0.999999 && known <= 1);
});

test("the nearest day with readings is found in both directions", () => {
  const days = ["2026-01-05", "2026-03-01", "2026-03-09"];
  assert.equal(selectFrom(days, "2026-03-08", -1, 10)[0], "2026-03-01");
  assert.equal(selectFrom(days, "2026-02-01", 1, 10)[0], "2026-03-01");
  assert.equal(selectFrom(days, "2026-01-01", -1, 10)[0], undefined);
  assert.equal(selectFrom(["2025-01-01", "2026-01-01"], "2026-07-01", -1, 4)[0], "2026-01-01");
});

const makeWindow = (rest: Partial<EnergyWindow>): EnergyWindow => ({
  production_wh: null, exported_wh: null, imported_wh: null, discharged_wh: null, production_coverage: 1, exported_coverage: 1, ...rest,
} as EnergyWindow);

test("a bar splits production only where its sale is known of the same time", () => {
  assert.deepEqual(splitWindow(makeWindow({ production_wh: 100, exported_wh: 40 })).above, [{ part: "used", wh: 60 }, { part: "sold", wh: 40 }]);
  assert.deepEqual(splitWindow(makeWindow({ production_wh: 100 })).above, [{ part: "produced", wh: 100 }]);
  const other = makeWindow({ production_wh: 100, exported_wh: 40, exported_coverage: 0.5 });
  assert.deepEqual(splitWindow(other).above, [{ part: "produced", wh: 100 }]);
  const filled = makeWindow({ production_wh: 100, production_filled_wh: 50, exported_wh: 40 });
  assert.deepEqual(splitWindow(filled).above, [{ part: "produced", wh: 100 }], "of what the cloud fills in nobody knows what was sold");
  assert.deepEqual(splitWindow(makeWindow({})), { above: [], below: [] });
});

test("the scale of bars ends at a whole step above, and where the bars end below", () => {
  const { top, bottom, step } = chooseScale([{ above: [{ part: "used", wh: 9_300 }], below: [{ part: "bought", wh: 4_100 }] }]);
  assert.deepEqual([top, bottom, step], [10_000, 4_100, 5_000]);
});
