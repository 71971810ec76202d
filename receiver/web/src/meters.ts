/** The site at this moment from the latest values of its meters, by the rules of the receiver. Pure. */

import type { MeterEntry } from "./api.ts";
import type { SiteNow } from "./flows.ts";

/** Values are known for two heartbeats of the scraper. */
const KNOWN_S = 120;

/** What the meters (corrected) say of now; null is unknown. */
export function siteOfMeters(meters: MeterEntry[]): SiteNow {
  const production = sum(meters, "production");
  const battery = sum(meters, "storage");
  let net = sum(meters, "net-consumption");
  let load: number | null = null;
  if (net !== null && production !== null) {
    load = production + net + (battery ?? 0);
  } else if (net === null && !meters.some((entry) => entry.meter === "storage")) {
    load = sum(meters, "total-consumption");
    net = load !== null && production !== null ? load - production : null;
  }
  return { production, load, net, battery };
}

function sum(meters: MeterEntry[], name: string): number | null {
  const phases = meters.filter((entry) => entry.meter === name);
  if (phases.length === 0 || phases.some((entry) => entry.power === undefined || entry.age_seconds > KNOWN_S)) return null;
  return phases.reduce((total, entry) => total + entry.power!, 0);
}
