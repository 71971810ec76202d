import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatAge, formatAmount, formatDigits, formatDuration, formatMeasurement, formatShare, formatThousands, formatTicks } from "../src/format.ts";

/** The terminal view rounds alike: tests/standalone/test_view.py has the same cases. */
const CASES = JSON.parse(readFileSync(new URL("amounts.json", import.meta.url), "utf8")) as [number, string][];
const simplify = (text: string): string => text.replaceAll("\u202f", " ");

test("powers and energies have the unit that fits", () => {
  for (const [value, text] of CASES) assert.equal(simplify(formatAmount(value, "W")), text.replace("-", "\u2212"));
  assert.equal(simplify(formatAmount(12_340, "Wh")), "12.3 kWh");
});

test("page, tiles and speech round alike, whatever the sign", () => {
  for (const value of [0.5, 7.5, 640.5, 999.5, 1235, 9995, 12_350, 999_950]) {
    assert.equal(formatAmount(-value, "W"), `\u2212${formatAmount(value, "W")}`);
  }
  assert.equal(simplify(formatAmount(-7.5, "W")), "\u22128 W");
  for (const value of [1235, 1240, 9994, 9996, 12_345]) {
    assert.equal(simplify(formatAmount(value, "Wh")), `${formatThousands(value)} kWh`);
  }
});

test("what is not known is a dash, never a zero", () => {
  for (const nothing of [null, undefined, Number.NaN, Infinity]) {
    assert.equal(formatAmount(nothing, "W"), "–");
    assert.equal(formatMeasurement(nothing, "V", 1), "–");
    assert.equal(formatShare(nothing), "–");
  }
  assert.equal(formatAge(null), "never");
});

test("numbers never show a negative zero", () => {
  assert.equal(formatDigits(-0.004, 2), "0.00");
  assert.equal(formatDigits(-0.005001, 2), "\u22120.01");
});

test("shares stay between nothing and all", () => {
  assert.equal(simplify(formatShare(0.8449)), "84 %");
  assert.equal(simplify(formatShare(1.02)), "100 %");
  assert.equal(simplify(formatShare(-0.01)), "0 %");
});

test("ages are given in their largest fitting unit", () => {
  assert.equal(formatAge(1), "now");
  assert.equal(simplify(formatAge(42)), "42 s ago");
  assert.equal(simplify(formatDuration(12 * 60)), "12 min");
  assert.equal(simplify(formatDuration(5 * 3600)), "5 h");
  assert.equal(formatDuration(3 * 86_400), "3 days");
});

test("an axis has one unit, and as many decimals as its ticks need", () => {
  const write = (...ticks: number[]) => formatTicks(ticks, "Wh").map(simplify);
  assert.deepEqual(write(0, 20_000, 80_000), ["0", "20 kWh", "80 kWh"]);
  assert.deepEqual(write(500, 0, 500, 1000), ["0.5 kWh", "0", "0.5 kWh", "1.0 kWh"]);
  assert.deepEqual(write(0, 100, 400), ["0", "100 Wh", "400 Wh"]);
  assert.deepEqual(write(0, 500_000, 1_000_000), ["0", "0.5 MWh", "1.0 MWh"]);
  assert.deepEqual(formatTicks([-2000, -1750, 0], "W").map(simplify), ["\u22122.00 kW", "\u22121.75 kW", "0"]);
});
