import assert from "node:assert/strict";
import { test } from "node:test";
import { makeQuarterCurves } from "../src/quarter_curves.ts";
import type { EnergyWindow } from "../src/schema.ts";
import { QUARTER_MS } from "../src/units.ts";

const START = Date.parse("2026-11-21T00:00Z");

/** A quarter hour in which 250 Wh are made, 300 used, 100 bought and 50 sold. */
function makeQuarter(index: number, changes: Partial<EnergyWindow> = {}): EnergyWindow {
  return {
    start: START + index * QUARTER_MS, in_progress: false,
    production_wh: 250, load_wh: 300, imported_wh: 100, exported_wh: 50,
    production_coverage: 1, load_coverage: 1, imported_coverage: 1, exported_coverage: 1, ...changes,
  } as EnergyWindow;
}

test("a day of a site is drawn by the mean powers of its quarter hours", () => {
  const { times, values } = makeQuarterCurves([makeQuarter(0), makeQuarter(1)], [], START, START + 2 * QUARTER_MS);
  assert.deepEqual(times, [START / 1000, START / 1000 + 900]);
  assert.deepEqual(values, [[1000, 1000], [1200, 1200], [200, 200], [null, null]]);
});

test("a quarter hour that is not known of all gateways, or goes on, has no point", () => {
  const windows = [
    makeQuarter(0, { production_wh: null, production_coverage: 0, load_wh: null, load_coverage: 0 }),
    makeQuarter(1, { production_coverage: 0.6 }),
    makeQuarter(2, { exported_wh: null, exported_coverage: 0 }),
    makeQuarter(3, { in_progress: true }),
  ];
  const { values } = makeQuarterCurves(windows, [], START, START + 4 * QUARTER_MS);
  assert.deepEqual(values.slice(0, 3), [[null, null, 1000, null], [null, 1200, 1200, null], [200, 200, null, null]]);
});

test("the charge is that of the one battery; of several nobody knows the mean", () => {
  const charge = new Map([[START / 1000, 40]]);
  const draw = (charges: Map<number, number>[]): (number | null)[] =>
    makeQuarterCurves([makeQuarter(0)], charges, START, START + QUARTER_MS).values[3]!;
  assert.deepEqual(draw([new Map(), charge]), [40]);
  assert.deepEqual(draw([charge, charge]), [null]);
});
