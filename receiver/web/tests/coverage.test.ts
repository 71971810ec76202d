import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCoverage } from "../src/coverage.ts";
import { formatDate } from "../src/days.ts";
import { texts, useLanguages } from "../src/locale.ts";
import type { EnergyTable, EnergyWindow } from "../src/schema.ts";
import { findSpan, type SpanKind } from "../src/spans.ts";

const NOW = Date.parse("2026-11-21T12:00Z");

function makeWindow(start: string, coverage: number, load = coverage): EnergyWindow {
  return {
    local_start: `${start}T00:00:00+00:00`, in_progress: start === "2026-11-21", production_coverage: coverage, load_coverage: load,
    imported_coverage: load, exported_coverage: load, charged_coverage: 0, discharged_coverage: 0,
  } as EnergyWindow;
}

function describe(kind: SpanKind, date: string, total: EnergyWindow, windows: EnergyWindow[]): string {
  const table = { total, windows } as EnergyTable;
  return describeCoverage(table, findSpan(kind, date, NOW, "UTC", null), NOW).replaceAll("\u202f", " ").replaceAll("\u2009", " ");
}

/** The days of a March; nothing is known of some of them. */
function makeMarch(empty: number[], total: EnergyWindow): string {
  const days = Array.from({ length: 31 }, (_, i) => makeWindow(`2026-03-${String(i + 1).padStart(2, "0")}`, empty.includes(i + 1) ? 0 : 1));
  return describe("month", "2026-03-01", total, days);
}

test("one share where all are alike, never more than is known", () => {
  useLanguages(["en-GB"]);
  assert.equal(makeMarch([], makeWindow("2026-03-01", 1)), "The energies are known for 100 % of the time.");
  assert.equal(makeMarch([], makeWindow("2026-03-01", 0.9999)), "The energies are known for 99 % of the time.");
});

test("shares that differ are said one by one, without what nobody measures", () => {
  const said = makeMarch([], makeWindow("2026-03-01", 0.985, 0.5));
  assert.equal(said, "So much of the time is known: Produced 98 %, Used 50 %, Bought 50 %, Sold 50 %.");
});

test("days of which nothing is known are named, a stretch of them by its ends", () => {
  const total = makeWindow("2026-03-01", 0.9);
  const known = "The energies are known for 90 % of the time.";
  assert.equal(makeMarch([12], total), `${known} Nothing is known of 12 Mar.`);
  assert.equal(makeMarch([12, 13, 20], total).replace(" – ", "–"), `${known} Nothing is known of 12–13 Mar and 20 Mar.`);
  assert.match(makeMarch([1, 3, 5, 7, 9, 11], total), /1 Mar, 3 Mar, 5 Mar, 7 Mar, and 2 further gaps\.$/);
});

test("months and years are named as such", () => {
  const months = [makeWindow("2026-01-01", 0), makeWindow("2026-02-01", 0), makeWindow("2026-03-01", 1)];
  const said = describe("year", "2026-01-01", makeWindow("2026-01-01", 0.5), months);
  assert.match(said, /Nothing is known of January ?– ?February\.$/);
  const years = [makeWindow("2024-01-01", 1), makeWindow("2025-01-01", 0), makeWindow("2026-01-01", 1)];
  assert.match(describe("all", "2026-01-01", makeWindow("2024-01-01", 0.5), years), /Nothing is known of 2025\.$/);
});

test("what goes on counts up to now, and its last day is no gap", () => {
  const said = describe("day", "2026-11-21", makeWindow("2026-11-21", 0.5), [makeWindow("2026-11-21", 0.5)]);
  assert.equal(said, "The energies are known for 100 % of the time.");
});

test("nothing is known, and German has its own words and dates", () => {
  assert.equal(makeMarch([], makeWindow("2026-03-01", 0)), "Nothing is known of this time.");
  useLanguages(["de-DE"]);
  const said = makeMarch([12, 14], makeWindow("2026-03-01", 0.9));
  assert.equal(said, "Die Energien sind für 90 % der Zeit bekannt. Unbekannt: 12. März und 14. März.");
  useLanguages(["en-GB"]);
});

test("what was before the first reading is not missing, as in the tiles", () => {
  const total = makeWindow("2026-01-01", 20 / 365);
  const table = { total, windows: [makeWindow("2026-11-01", 20 / 365)] } as EnergyTable;
  assert.match(describeCoverage(table, findSpan("year", "2026-01-01", NOW, "UTC", null), NOW, "2026-11-01"), /known for 97\u202f%/);
});

test("days before the first reading are no gap; later ones are", () => {
  const days = Array.from({ length: 30 }, (_, i) => makeWindow(`2026-11-${String(i + 1).padStart(2, "0")}`, i < 9 || i === 14 ? 0 : 1));
  const table = { total: makeWindow("2026-11-01", 0.36), windows: days.slice(0, 21) } as EnergyTable;
  const said = describeCoverage(table, findSpan("month", "2026-11-01", NOW, "UTC", null), NOW, "2026-11-10");
  assert.match(said, /Nothing is known of 15 Nov\.$/);
  const years = { total: makeWindow("2026-01-01", 1), windows: [makeWindow("2025-01-01", 0), makeWindow("2026-01-01", 1)] } as EnergyTable;
  assert.equal(describeCoverage(years, findSpan("all", null, NOW, "UTC", "2026-11-10"), NOW, "2026-11-10").replace("\u202f", " "), "The energies are known for 100 % of the time.");
});

test("what the cloud has filled in is said, also where nothing else is known", () => {
  const filled = { ...makeWindow("2026-03-12", 0), production_filled_wh: 4213, load_filled_wh: 0 };
  assert.equal(makeMarch([], { ...makeWindow("2026-03-01", 1), production_filled_wh: 4213 }).replaceAll("\u00a0", " "),
    "The energies are known for 100 % of the time. From the cloud: Produced 4.21 kWh.");
  assert.equal(describe("day", "2026-03-12", filled, [filled]).replaceAll("\u00a0", " "),
    "The energies are known for 0 % of the time. From the cloud: Produced 4.21 kWh.");
});

test("a German sentence that ends with a short month has one stop", () => {
  useLanguages(["de-DE"]);
  const days = Array.from({ length: 3 }, (_, i) => makeWindow(`2026-11-0${i + 1}`, i === 1 ? 0 : 1));
  const said = describe("month", "2026-11-01", makeWindow("2026-11-01", 0.5), days);
  const behind = texts.panel.behind(formatDate("2026-11-22"));
  useLanguages(["en-GB"]);
  assert.match(said, /Unbekannt: 2\. Nov\.$/);
  assert.match(said, /[^.]\.$/);
  assert.match(behind, /seit .*Nov\.$/);
  assert.match(behind, /[^.]\.$/);
});
