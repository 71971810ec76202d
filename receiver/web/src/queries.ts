/** What the page asks of series and energies, as plain values. */

import { get, nameGatewayPath } from "./api.ts";
import type { Curves } from "./chart.ts";
import { coarsen, compareEnergies } from "./coarse.ts";
import type { Day } from "./day.ts";
import type { EnergyTable, PanelEnergyTable, SeriesAnswer } from "./schema.ts";

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
export interface PanelCurve {
  times: number[];
  power: (number | null)[];
  peers: (number | null)[];
  energy: number | null;
  peersEnergy: number | null;
}

type Points = Map<number, number>;

const CURVE_S = 300;
const QUARTER_S = 900;
/** More than the minutes of the longest day. */
const MOST_POINTS = "2000";

/** The energy of a day; null where nothing is known. Throws ApiError. */
export async function readDayEnergy(serial: string, day: Day): Promise<DayEnergy | null> {
  const table = await get<EnergyTable>(nameGatewayPath(serial, "/energy"), { every: "1d", start: day.date, ...limitToDay(day), time_zone: day.zone });
  const window = table.windows[0];
  if (!window || (window.production_coverage === 0 && window.load_coverage === 0)) return null;
  return {
    production: window.production_wh,
    load: window.load_wh,
    imported: window.imported_wh,
    exported: window.exported_wh,
    charged: window.charged_wh,
    discharged: window.discharged_wh,
    self_consumption: window.self_consumption,
    self_sufficiency: window.self_sufficiency,
    cost: window.cost,
    feed_in: window.feed_in,
    savings: window.savings,
    coverage: window.production_coverage,
  };
}

/** Production, consumption, grid (W) and the battery's charge (%) of a day in means of five minutes. Throws ApiError. */
export async function readDayCurve(serial: string, day: Day): Promise<Curves> {
  const fields = await Promise.all([
    ...["production", "load", "net"].map((field) => readPoints(serial, { kind: "site_1m", field }, day)),
    readPoints(serial, { kind: "storage", field: "state_of_charge", every: "5m" }, day),
  ]);
  // at night inverters draw a few watts, which nobody calls production
  fields[0] = new Map([...fields[0]!].map(([time, power]) => [time, Math.max(0, power)]));
  return coarsen(fields, day.start / 1000, Math.min(day.stop, Date.now()) / 1000, CURVE_S);
}

/** A panel's day compared with its peers. Throws ApiError. */
export async function readPanelCurve(serial: string, inverter: string, day: Day): Promise<PanelCurve> {
  const [power, peers] = await Promise.all(
    ["power", "peers"].map((field) => readPoints(serial, { kind: "panel_15m", field, inverter }, day)),
  );
  const stop = Math.min(day.stop, Date.now()) / 1000;
  const curves = coarsen([power!, peers!], day.start / 1000, stop, QUARTER_S);
  return {
    times: power!.size ? curves.times : [],
    power: curves.values[0]!,
    peers: curves.values[1]!,
    ...compareEnergies(power!, peers!),
  };
}

/** The energy of every panel on a day, in Wh by serial. Throws ApiError. */
export async function readPanelEnergies(serial: string, day: Day): Promise<Map<string, number>> {
  const table = await get<PanelEnergyTable>(
    nameGatewayPath(serial, "/inverters/energy"), { every: "1d", start: day.date, ...limitToDay(day) },
  );
  const known = table.panels.map((panel) => [panel.inverter, panel.energy_wh[0] ?? null] as const);
  return new Map(known.filter((entry): entry is [string, number] => entry[1] !== null));
}

/** One field of one kind over a day; what is not known is absent. Throws ApiError. */
async function readPoints(serial: string, series: Record<string, string>, day: Day): Promise<Points> {
  const page = series["every"] ? {} : { limit: MOST_POINTS };
  const answer = await get<SeriesAnswer>(
    nameGatewayPath(serial, "/series"), { ...series, start: day.date, ...limitToDay(day), time_zone: day.zone, ...page },
  );
  const found: Points = new Map();
  for (const { timestamp, value } of answer.series.flatMap((one) => one.points ?? [])) {
    if (typeof value === "number") found.set(timestamp / 1000, value);
  }
  for (const { start, value } of answer.series.flatMap((one) => one.windows ?? [])) {
    if (typeof value === "number") found.set(start / 1000, value);
  }
  return found;
}

function limitToDay(day: Day): Record<string, string> {
  return day.isToday ? {} : { stop: day.next };
}
