import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { describeFacing } from "../src/layout.ts";
import { useLanguages } from "../src/locale.ts";
import { RoofPlan } from "../src/roof_plan.ts";

const KNOWN = {
  a: { name: "East 1", array: "East", row: 1, column: 1, azimuth: 90, tilt: 30 },
  b: { name: "East 2", array: "East", row: 1, column: 2, azimuth: 90, tilt: 30 },
  c: { name: "West 1", array: "West", row: 1, column: 1, azimuth: 270, tilt: 30 },
};
const makePlan = (): RoofPlan => new RoofPlan(["a", "b", "c", "d"], KNOWN);

afterEach(() => useLanguages(["en-GB"]));

test("a panel that is moved faces as its new array does, and nothing else changes", () => {
  const plan = makePlan();
  plan.move("d", "West", 1, 2);
  assert.deepEqual(plan.listChanges(), { d: { array: "West", row: 1, column: 2, azimuth: 270, tilt: 30 } });
  plan.takeOff("d");
  assert.deepEqual(plan.listUnplaced(), ["d"]);
});

test("a place that is taken is exchanged, so that no two panels share one", () => {
  const plan = makePlan();
  plan.move("a", "East", 1, 2);
  assert.deepEqual(plan.listChanges(), { a: { column: 2 }, b: { column: 1 } });
  plan.move("a", "West", 1, 1);
  assert.deepEqual(plan.get("c"), { name: "West 1", array: "East", row: 1, column: 2, azimuth: 90, tilt: 30 });
  assert.equal(plan.get("a").azimuth, 270);
  plan.move("d", "West", 1, 1);
  assert.deepEqual(plan.listUnplaced(), ["a"]);
});

test("what is done and undone is no change", () => {
  const plan = makePlan();
  plan.move("a", "East", 2, 1);
  plan.move("a", "East", 1, 1);
  plan.rename("b", " East 2 ");
  assert.deepEqual(plan.listChanges(), {});
});

test("an array that is added keeps where it faces until a panel comes", () => {
  const plan = makePlan();
  plan.addArray("Garage");
  plan.turn("Garage", { azimuth: 180, tilt: 10 });
  plan.move("d", "Garage", 1, 1);
  assert.deepEqual(plan.get("d"), { name: null, array: "Garage", row: 1, column: 1, azimuth: 180, tilt: 10 });
  plan.renameArray("East", "Barn");
  assert.deepEqual(plan.listArrays(), ["Barn", "Garage", "West"]);
});

test("a panel beside the roof is placed into the first free cell", () => {
  const plan = makePlan();
  plan.placeSomewhere("d");
  assert.deepEqual([plan.get("d").array, plan.get("d").row, plan.get("d").column], ["East", 1, 3]);
  const bare = new RoofPlan(["a", "b"], {});
  bare.placeSomewhere("a");
  bare.placeSomewhere("b");
  assert.deepEqual(bare.listPlaced(null), ["a", "b"]);
});

test("a layout is taken over for the panels that are here, and what it does not say stays", () => {
  const plan = makePlan();
  assert.deepEqual(plan.take({ a: { array: "East", row: 1, column: 2 }, b: { array: "East", row: 1, column: 1, tilt: 35 }, x: {} }), { count: 2, others: 1 });
  assert.deepEqual(plan.listChanges(), { a: { column: 2 }, b: { column: 1, tilt: 35 } });
  plan.take({ d: { array: "West", row: 1, column: 1 } });
  assert.deepEqual(plan.listUnplaced(), ["c"]);
});

test("where an array faces is said in words", () => {
  assert.equal(describeFacing(180, 35), "faces south (180°), tilt 35°");
  assert.equal(describeFacing(350, null), "faces north (350°)");
  assert.equal(describeFacing(null, null), "");
  useLanguages(["de"]);
  assert.equal(describeFacing(92.5, 10), "nach Osten (92,5°), Neigung 10°");
});
