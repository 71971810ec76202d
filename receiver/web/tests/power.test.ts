import assert from "node:assert/strict";
import { test } from "node:test";
import { computeFlows, readSums } from "../src/flows.ts";

test("what flows adds up to what is produced, bought and discharged, and to what is used, sold and charged", () => {
  for (const net of [-4000, -500, 0, 700, 5000]) {
    for (const battery of [-2500, -100, 0, 100, 2500]) {
      for (const production of [0, 50, 3000, 6000]) {
        const load = production + net + battery;
        if (load < 0) continue;
        const flows = computeFlows({ production, load, net, battery });
        for (const value of Object.values(flows)) assert.ok(value >= 0);
        assert.equal(flows.sunToHouse + flows.sunToGrid + flows.sunToBattery, production);
        assert.equal(flows.gridToHouse + flows.gridToBattery, Math.max(0, net));
        assert.equal(flows.batteryToHouse + flows.batteryToGrid, Math.max(0, battery));
        assert.equal(flows.sunToHouse + flows.gridToHouse + flows.batteryToHouse, load);
        assert.equal(flows.sunToGrid + flows.batteryToGrid, Math.max(0, -net));
      }
    }
  }
});

test("nothing flows where nothing is known", () => {
  const flows = computeFlows({ production: null, load: null, net: null, battery: null });
  assert.deepEqual(new Set(Object.values(flows)), new Set([0]));
});

test("the sums leave the battery out, so the grid gives less by what it gives", () => {
  assert.deepEqual(readSums({ p: 1000, c: 3000, n: 500 }, 1500), { production: 1000, load: 3000, net: 500, battery: 1500 });
  assert.deepEqual(readSums({ p: 1000, c: 400, n: -600 }, null), { production: 1000, load: 400, net: -600, battery: null });
});
