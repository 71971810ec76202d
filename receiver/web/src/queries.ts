/** What the page asks of series and energies, as plain values. */

import { get, of } from "./api.ts";
import type { Curves } from "./chart.ts";
import { coarsened, compared } from "./coarse.ts";
import type { Day } from "./day.ts";

/** Energy of one day in Wh, shares from 0 to 1, money in the tariffs' currency; null is unknown. */
export interface DayEnergy {
  production: number | null;
  load: number | null;
  imported: number | null;
  exported: number | null;
  charged: number | null;
  discharged: number | null;
  self_consumption: number | null;
  self_sufficiency: number | null;
  cost: number | null;
  feed_in: number | null;
  savings: number | null;
  /** The share of the whole day of which the production is known. */
  coverage: number;
}

/** A panel's day: mean powers of quarter hours in W, and energies in Wh. */
export interface PanelDay {
  times: number[];
  power: (number | null)[];
  peers: (number | null)[];
  energy: number | null;
  peersEnergy: number | null;
}

type Window = Record<string, number | string | boolean | null>;
type Points = Map<number, number>;

const CURVE_S = 300;
const QUARTER_S = 900;
/** More than the minutes of the longest day. */
const MOST_POINTS = "2000";

/** The energy of a day; null where nothing is known. Throws ApiError. */
export async function dayEnergy(serial: string, day: Day): Promise<DayEnergy | null> {
  const table = await get<{ windows: Window[] }>(of(serial, "/energy"), { every: "1d", start: day.date, ...stopOf(day), time_zone: day.zone });
  const window = table.windows[0];
  if (!window || number(window["production_coverage"]) === 0 && number(window["load_coverage"]) === 0) return null;
  const wh = (name: string): number | null => number(window[`${name}_wh`]);
  return {
    production: wh("production"),
    load: wh("load"),
    imported: wh("imported"),
    exported: wh("exported"),
    charged: wh("charged"),
    discharged: wh("discharged"),
    self_consumption: number(window["self_consumption"]),
    self_sufficiency: number(window["self_sufficiency"]),
    cost: number(window["cost"]),
    feed_in: number(window["feed_in"]),
    savings: number(window["savings"]),
    coverage: number(window["production_coverage"]) ?? 0,
  };
}

/** Production, consumption and grid of a day in means of five minutes. Throws ApiError. */
export async function dayCurve(serial: string, day: Day): Promise<Curves> {
  const fields = await Promise.all(
    ["production", "load", "net"].map((field) => points(serial, { kind: "site_1m", field }, day)),
  );
  // at night inverters draw a few watts, which nobody calls production
  fields[0] = new Map([...fields[0]!].map(([time, power]) => [time, Math.max(0, power)]));
  return coarsened(fields, day.start / 1000, Math.min(day.stop, Date.now()) / 1000, CURVE_S);
}

/** A panel's day beside its peers. Throws ApiError. */
export async function panelDay(serial: string, inverter: string, day: Day): Promise<PanelDay> {
  const [power, peers] = await Promise.all(
    ["power", "peers"].map((field) => points(serial, { kind: "panel_15m", field, inverter }, day)),
  );
  const stop = Math.min(day.stop, Date.now()) / 1000;
  const curves = coarsened([power!, peers!], day.start / 1000, stop, QUARTER_S);
  return {
    times: power!.size ? curves.times : [],
    power: curves.values[0]!,
    peers: curves.values[1]!,
    ...compared(power!, peers!),
  };
}

/** The energy of every panel on a day, in Wh by serial. Throws ApiError. */
export async function panelEnergies(serial: string, day: Day): Promise<Map<string, number>> {
  const table = await get<{ panels: { inverter: string; energy_wh: (number | null)[] }[] }>(
    of(serial, "/inverters/energy"), { every: "1d", start: day.date, ...stopOf(day) },
  );
  const known = table.panels.map((panel) => [panel.inverter, panel.energy_wh[0] ?? null] as const);
  return new Map(known.filter((entry): entry is [string, number] => entry[1] !== null));
}

/** One field of one kind over a day; what is not known is absent. Throws ApiError. */
async function points(serial: string, series: Record<string, string>, day: Day): Promise<Points> {
  const answer = await get<{ series: { points: { timestamp: number; value: number }[] }[] }>(
    of(serial, "/series"), { ...series, start: day.date, ...stopOf(day), time_zone: day.zone, limit: MOST_POINTS },
  );
  return new Map(answer.series.flatMap((one) => one.points.map((point) => [point.timestamp / 1000, point.value])));
}

function stopOf(day: Day): Record<string, string> {
  return day.isToday ? {} : { stop: day.next };
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
