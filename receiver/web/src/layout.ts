/** Where panels stand and how bright they are. Pure. */

import { formatDigits } from "./format.ts";
import { texts } from "./locale.ts";
import type { InverterEntry } from "./schema.ts";

/**
 * One array: its panels in the order of the roof, how many columns it has (null: no layout is known), and where all of
 * its panels face (null: it is not known, or they differ).
 */
export interface ArrayLayout {
  name: string | null;
  columns: number | null;
  azimuth: number | null;
  tilt: number | null;
  panels: InverterEntry[];
}

/** What people call a panel. */
export function namePanel(panel: InverterEntry): string {
  return panel.name ?? panel.inverter;
}

/** The same beneath the name of its array, which need not be said again: "East 3" is "3" there. */
export function shortenName(panel: InverterEntry): string {
  const name = namePanel(panel);
  const prefix = `${panel.array ?? ""} `;
  return name.length > prefix.length && name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** Arrays by name; a roof layout where every panel of the array has a place of its own. */
export function arrange(panels: InverterEntry[]): ArrayLayout[] {
  const arrays = new Map<string, InverterEntry[]>();
  for (const panel of panels) {
    const name = panel.array ?? "";
    arrays.set(name, [...(arrays.get(name) ?? []), panel]);
  }
  return [...arrays]
    .sort(([one], [other]) => (one === "" ? 1 : other === "" ? -1 : compareNaturally(one, other)))
    .map(([name, members]) => layOut(name === "" ? null : name, members));
}

function layOut(name: string | null, members: InverterEntry[]): ArrayLayout {
  const facing = { azimuth: findCommon(members, "azimuth"), tilt: findCommon(members, "tilt") };
  const positions = new Set(members.map((panel) => (panel.row && panel.column ? `${panel.row}/${panel.column}` : null)));
  if (positions.has(null) || positions.size < members.length) {
    return { name, ...facing, columns: null, panels: [...members].sort((one, other) => compareNaturally(namePanel(one), namePanel(other))) };
  }
  const panels = [...members].sort((one, other) => one.row! - other.row! || one.column! - other.column!);
  return { name, ...facing, columns: Math.max(...panels.map((panel) => panel.column!)), panels };
}

function findCommon(members: InverterEntry[], key: "azimuth" | "tilt"): number | null {
  const first = members[0]?.[key] ?? null;
  return members.every((panel) => (panel[key] ?? null) === first) ? first : null;
}

/** Where an array faces, e.g. "faces south (180°), tilt 35°"; empty where nothing is known. */
export function describeFacing(azimuth: number | null, tilt: number | null): string {
  const formatDegrees = (value: number): string => `${formatDigits(value, Number.isInteger(value) ? 0 : 1)}°`;
  const direction = azimuth === null ? "" : texts.roof.directions[Math.round(azimuth / 45) % 8]!;
  return [
    azimuth === null ? null : texts.roof.faces(direction, formatDegrees(azimuth)), tilt === null ? null : texts.roof.tilt(formatDegrees(tilt)),
  ].filter((part) => part !== null).join(", ");
}

function compareNaturally(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

/**
 * What the brightest colour stands for: the best panel of now, but at least a part of the most that any ever gave, so
 * that dawn looks like dawn.
 */
export function findBrightest(values: (number | null)[], best: number): number {
  return Math.max(1, best / 4, ...values.map((value) => value ?? 0));
}
