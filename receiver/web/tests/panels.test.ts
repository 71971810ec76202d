import assert from "node:assert/strict";
import { test } from "node:test";
import type { InverterEntry } from "../src/schema.ts";
import { coarsen, compareEnergies } from "../src/coarse.ts";
import { arrange, findBrightest, shortenName } from "../src/layout.ts";

const makePanel = (inverter: string, rest: Partial<InverterEntry> = {}): InverterEntry =>
  ({ inverter, timestamp: 0, age_seconds: 1, speaks: true, state: "producing", ...rest });

test("panels with places lie as on the roof", () => {
  const [array] = arrange([
    makePanel("3", { array: "East", row: 2, column: 1 }), makePanel("1", { array: "East", row: 1, column: 3 }),
    makePanel("2", { array: "East", row: 1, column: 1 }),
  ]);
  assert.equal(array!.columns, 3);
  assert.deepEqual(array!.panels.map((one) => one.inverter), ["2", "1", "3"]);
});

test("an array without places, or with two panels in one, is a list by name, with numbers as people count", () => {
  const [named] = arrange([makePanel("a", { name: "East 10" }), makePanel("b", { name: "East 2" })]);
  assert.equal(named!.columns, null);
  assert.deepEqual(named!.panels.map((one) => one.name), ["East 2", "East 10"]);
  const [twice] = arrange([makePanel("a", { row: 1, column: 1 }), makePanel("b", { row: 1, column: 1 })]);
  assert.equal(twice!.columns, null);
});

test("a panel beneath the name of its array does not repeat it", () => {
  assert.equal(shortenName(makePanel("1", { name: "East 3", array: "East" })), "3");
  assert.equal(shortenName(makePanel("1", { name: "Eastern", array: "East" })), "Eastern");
  assert.equal(shortenName(makePanel("482100000001")), "482100000001");
});

test("what is in no array comes last", () => {
  assert.deepEqual(arrange([makePanel("a"), makePanel("b", { array: "West" })]).map((array) => array.name), ["West", null]);
});

test("dawn looks like dawn, and nothing is divided by nothing", () => {
  assert.equal(findBrightest([20, null], 400), 100);
  assert.equal(findBrightest([350], 400), 350);
  assert.equal(findBrightest([], 0), 1);
});

test("means over steps leave out what is not known", () => {
  const series = new Map([[0, 10], [60, 20], [600, 5], [9000, 1]]);
  const curves = coarsen([series], 0, 900, 300);
  assert.deepEqual(curves.times, [0, 300, 600]);
  assert.deepEqual(curves.values, [[15, null, 5]]);
});

test("a panel is compared with its peers only while it is known", () => {
  const peers = new Map([[0, 100], [900, 200], [1800, 400]]);
  assert.deepEqual(compareEnergies(new Map([[0, 100], [900, 100]]), peers), { energy: 50, peersEnergy: 75 });
  assert.deepEqual(compareEnergies(new Map(), peers), { energy: null, peersEnergy: null });
});
