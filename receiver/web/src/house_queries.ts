/** What the page asks of a site of several gateways. */

import { get, nameHousePath } from "./api.ts";
import type { Curves } from "./chart.ts";
import { makeQuarterCurves } from "./quarter_curves.ts";
import { limitToSpan, readCharge } from "./queries.ts";
import type { EnergyTable, HouseEnergyTable, HouseEntry } from "./schema.ts";
import type { Span } from "./spans.ts";

/** The energy of a span, cut into its windows. Throws ApiError. */
export async function readHouseEnergy(site: string, span: Span): Promise<EnergyTable> {
  return await readWindows(site, span, span.every);
}

/** Production, consumption, grid (W) and the battery's charge (%) of a day in means of quarter hours. Throws ApiError. */
export async function readHouseCurve(house: HouseEntry, day: Span): Promise<Curves> {
  const [table, ...charges] = await Promise.all([
    readWindows(house.site, day, "15m"), ...house.gateways.map((one) => readCharge(one.gateway, day)),
  ]);
  return makeQuarterCurves(table.windows, charges, day.start, Math.min(day.stop, Date.now()));
}

async function readWindows(site: string, span: Span, every: string): Promise<EnergyTable> {
  const table = await get<HouseEnergyTable>(
    nameHousePath(site, "/energy"), { every, start: span.date, ...limitToSpan(span), time_zone: span.zone },
  );
  return { ...table, gateway: table.site };
}
