/**
 * Colours that carry a meaning must be told apart, by readers with deuteranopia too: as Machado, Oliveira and Fernandes
 * (2009) simulate it, at full strength. The distance is that of CIELAB; 2.3 of it is just noticeable.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Colour = readonly [number, number, number];
type Matrix = readonly [Colour, Colour, Colour];

const STYLE = readFileSync(new URL("../src/style.css", import.meta.url), "utf8");
const DEUTERANOPIA: Matrix = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];
const PLAIN: Matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
const SRGB_TO_XYZ: Matrix = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const WHITE: Colour = [0.95047, 1, 1.08883];

/** What is seen side by side: the lines of a day, of a panel, of its climate; pieces of bars; lights; days of a panel. */
const TOGETHER: Record<string, string[]> = {
  "the curves of a day": ["sun", "house", "grid", "battery"],
  "a panel and its peers": ["sun", "soft"],
  "temperature and voltage": ["bad", "house"],
  "circles, tiles and pieces of bars": ["sun-bright", "house", "grid", "battery"],
  "the light": ["battery", "sun-bright", "bad"],
  "the days of a panel": ["sun-bright", "bad"],
  "a panel in the dark and in full sun": ["panel-off", "panel-full"],
  "what needs a person": ["bad", "warn"],
};
const LEAST = 20;

function readColours(scheme: "light" | "dark"): Map<string, Colour> {
  const [light, dark] = STYLE.split("@media (prefers-color-scheme: dark)", 2) as [string, string];
  const block = scheme === "light" ? light : light + dark.slice(0, dark.indexOf("}\n}"));
  const found = [...block.matchAll(/--([\w-]+): #(\w\w)(\w\w)(\w\w);/g)];
  return new Map(found.map(([, name, ...parts]) => [name!, parts.map((part) => parseInt(part, 16) / 255) as unknown as Colour]));
}

function apply(matrix: Matrix, colour: Colour): Colour {
  return matrix.map((row) => row.reduce((sum, factor, i) => sum + factor * colour[i]!, 0)) as unknown as Colour;
}

function convertToLab(colour: Colour, seen: Matrix): Colour {
  const linear = colour.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as unknown as Colour;
  const light = apply(seen, linear).map((part) => Math.min(1, Math.max(0, part))) as unknown as Colour;
  const [x, y, z] = apply(SRGB_TO_XYZ, light).map((part, i) => {
    const share = part / WHITE[i]!;
    return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
  }) as unknown as Colour;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function measureDistance(one: Colour, other: Colour, seen: Matrix): number {
  const [a, b] = [convertToLab(one, seen), convertToLab(other, seen)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

test("the measure is right: red and green of one lightness are far apart, and near with deuteranopia", () => {
  const [red, green]: Colour[] = [[0.8, 0.25, 0.2], [0.45, 0.5, 0.1]];
  assert.ok(measureDistance(red!, green!, PLAIN) > 60);
  assert.ok(measureDistance(red!, green!, DEUTERANOPIA) < 20);
  assert.ok(Math.abs(measureDistance([0, 0, 0], [1, 1, 1], DEUTERANOPIA) - 100) < 0.5);
});

for (const scheme of ["light", "dark"] as const) {
  test(`colours with a meaning are told apart with deuteranopia, too (${scheme})`, () => {
    const colours = readColours(scheme);
    const near = Object.entries(TOGETHER).flatMap(([where, names]) => names.flatMap((one, i) => names.slice(i + 1).flatMap((other) => {
      const distance = Math.min(...[PLAIN, DEUTERANOPIA].map((seen) => measureDistance(colours.get(one)!, colours.get(other)!, seen)));
      return distance < LEAST ? [`${where}: ${one} and ${other} are ${distance.toFixed(1)} apart`] : [];
    })));
    assert.deepEqual(near, []);
  });
}
