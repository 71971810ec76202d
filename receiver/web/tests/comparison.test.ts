import assert from "node:assert/strict";
import { test } from "node:test";
import { compareEnergy, listComparable } from "../src/comparison.ts";
import type { EnergyTable } from "../src/schema.ts";
import { findSpan, type SpanKind } from "../src/spans.ts";

const NOW = Date.parse("2026-11-21T12:00Z");
const findDates = (kind: SpanKind, date: string) =>
  listComparable(findSpan(kind, date, NOW, "UTC", null)).map(({ span }) => span.date);
const makeTable = (production: number | null, load: number | null, coverage = 1) => ({
  total: { production_wh: production, load_wh: load, production_coverage: coverage, load_coverage: coverage },
}) as EnergyTable;

test("a span is compared with the one before and the same a year ago", () => {
  assert.deepEqual(findDates("month", "2026-01-10"), ["2025-12-01", "2025-01-01"]);
  assert.deepEqual(findDates("week", "2026-11-09"), ["2026-11-02", "2025-11-10"]);
  assert.deepEqual(findDates("day", "2024-02-29"), ["2024-02-28", "2023-02-28"]);
  assert.deepEqual(findDates("year", "2025-05-01"), ["2024-01-01"]);
});

test("what goes on is not compared", () => {
  const month = findSpan("month", null, Date.now(), "UTC", null);
  assert.deepEqual(listComparable(month), []);
});

test("more and less are said where both are known", () => {
  const [one, other] = [findSpan("month", "2026-10-01", NOW, "UTC", null), findSpan("month", "2026-09-01", NOW, "UTC", null)];
  const compare = (a: EnergyTable, b: EnergyTable) => compareEnergy(a, one, b, other).replaceAll("\u202f", " ");
  assert.equal(compare(makeTable(112, 97), makeTable(100, 100)), "produced 12 % more, used 3 % less");
  assert.equal(compare(makeTable(100, null), makeTable(100, 100)), "produced as much");
  assert.equal(compare(makeTable(100, 100), makeTable(100, 100, 0.9)), "");
});
