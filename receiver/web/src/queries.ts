/** What the page asks of series and energies, as plain values. */

import { get, nameGatewayPath } from "./api.ts";
import type { Curves } from "./chart.ts";
import { findDate } from "./days.ts";
import { coarsen, compareEnergies } from "./coarse.ts";
import { makeQuarterCurves } from "./quarter_curves.ts";
import type { EnergyTable, PanelEnergyTable, SeriesAnswer } from "./schema.ts";
import type { Span } from "./spans.ts";
import type { JudgedDay } from "./weak.ts";

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
const JUDGED_DAYS = 30;
const MOST_DAYS = "20000";

/** The energy of a span, cut into its windows, or into others. Throws ApiError. */
export async function readEnergy(
  serial: string, span: Span, every: EnergyTable["every"] = span.every,
): Promise<EnergyTable> {
  return await get<EnergyTable>(
    nameGatewayPath(serial, "/energy"), { every, start: span.date, ...limitToSpan(span), time_zone: span.zone },
  );
}

/**
 * Production, consumption, grid (W) and the battery's charge (%) of a day, in means of five minutes; of a day whose minutes
 * have expired, of quarter hours. Throws ApiError.
 */
export async function readDayCurve(serial: string, day: Span): Promise<Curves> {
  const [charge, ...answers] = await Promise.all([
    readPoints(serial, { kind: "storage", field: "state_of_charge", every: "5m" }, day),
    ...["production", "load", "net"].map((field) => readSeries(serial, { kind: "site_1m", field }, day)),
  ]);
  if (answers.some((answer) => answer.note !== null)) return await readQuarterCurve(serial, day, charge);
  const fields = [...answers.map(collectPoints), charge];
  // at night inverters draw a few watts, which nobody calls production
  fields[0] = new Map([...fields[0]!].map(([time, power]) => [time, Math.max(0, power)]));
  return coarsen(fields, day.start / 1000, Math.min(day.stop, Date.now()) / 1000, CURVE_S);
}

/** The same of a system that has nothing finer than quarter hours. Throws ApiError. */
export async function readQuarterCurve(serial: string, day: Span, charge: Points = new Map()): Promise<Curves> {
  const { windows } = await readEnergy(serial, day, "15m");
  return makeQuarterCurves(windows, [charge], day.start, Math.min(day.stop, Date.now()));
}

/** The charge (%) of the battery of a gateway in means of quarter hours of a day, by seconds since 1970. Throws ApiError. */
export async function readCharge(serial: string, day: Span): Promise<Points> {
  return await readPoints(serial, { kind: "storage", field: "state_of_charge", every: "15m" }, day);
}

/** A panel's day compared with its peers. Throws ApiError. */
export async function readPanelCurve(serial: string, inverter: string, day: Span): Promise<PanelCurve> {
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

/** A panel's temperature (°C) and voltage (V) over a day. Throws ApiError. */
export async function readPanelClimate(serial: string, inverter: string, day: Span): Promise<Curves> {
  const fields = await Promise.all(
    ["temperature", "dc_voltage"].map((field) => readPoints(serial, { kind: "inverter", field, inverter, every: "15m" }, day)),
  );
  return coarsen(fields, day.start / 1000, Math.min(day.stop, Date.now()) / 1000, QUARTER_S);
}

/** How every panel did beside its peers on its last days, by serial. Throws ApiError. */
export async function readJudgedDays(serial: string, zone: string): Promise<Map<string, JudgedDay[]>> {
  const [ratios, peers] = await Promise.all(["ratio", "peers"].map((field) => get<SeriesAnswer>(
    nameGatewayPath(serial, "/series"), { kind: "panel_1d", field, start: `-${JUDGED_DAYS}d`, time_zone: zone, limit: MOST_DAYS },
  )));
  const today = findDate(Date.now(), zone);
  const peersOf = new Map(peers!.series.map((one) => [one.tags["inverter"], new Map(one.points?.map((point) => [point.timestamp, point.value]))]));
  const found = new Map<string, JudgedDay[]>();
  for (const { tags, points } of ratios!.series) {
    const inverter = tags["inverter"] ?? "";
    const days = (points ?? []).map(({ timestamp, value }): JudgedDay => {
      const date = findDate(timestamp, zone);
      const wh = peersOf.get(inverter)?.get(timestamp);
      return {
        local_start: date, in_progress: date === today,
        ratio: typeof value === "number" ? value : null, peers_wh: typeof wh === "number" ? wh : null,
      };
    });
    const all = [...(found.get(inverter) ?? []), ...days]; // a panel that was renamed has several series
    found.set(inverter, all.sort((one, other) => one.local_start.localeCompare(other.local_start)));
  }
  return found;
}

/** The energy of every panel in a span, in Wh by serial. Throws ApiError. */
export async function readPanelEnergies(serial: string, span: Span): Promise<Map<string, number>> {
  const table = await get<PanelEnergyTable>(
    nameGatewayPath(serial, "/inverters/energy"), { every: span.every, start: span.date, ...limitToSpan(span) },
  );
  const known = table.panels.map((panel) => [panel.inverter, panel.total_wh] as const);
  return new Map(known.filter((entry): entry is [string, number] => entry[1] !== null));
}

/** One field of one kind over a day; what is not known is absent. Throws ApiError. */
async function readPoints(serial: string, series: Record<string, string>, day: Span): Promise<Points> {
  return collectPoints(await readSeries(serial, series, day));
}

async function readSeries(serial: string, series: Record<string, string>, day: Span): Promise<SeriesAnswer> {
  const page = series["every"] ? {} : { limit: MOST_POINTS };
  return await get<SeriesAnswer>(
    nameGatewayPath(serial, "/series"), { ...series, start: day.date, ...limitToSpan(day), time_zone: day.zone, ...page },
  );
}

/** The numbers of an answer by seconds since 1970. */
function collectPoints(answer: SeriesAnswer): Points {
  const found: Points = new Map();
  for (const { timestamp, value } of answer.series.flatMap((one) => one.points ?? [])) {
    if (typeof value === "number") found.set(timestamp / 1000, value);
  }
  for (const { start, value } of answer.series.flatMap((one) => one.windows ?? [])) {
    if (typeof value === "number") found.set(start / 1000, value);
  }
  return found;
}

/** The end of a span that is over, as a parameter of a question. */
export function limitToSpan(span: Span): Record<string, string> {
  return span.isCurrent ? {} : { stop: span.next };
}
