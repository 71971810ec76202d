/** Midnights of a calendar. Pure. */

import { findDate } from "./days.ts";
import { HOUR_MS } from "./units.ts";

/**
 * The first instant of a date in a zone. Zones are at most 14 hours off UTC and change by quarter hours, and no library
 * is needed to look for the first quarter that has the date.
 */
export function findStart(date: string, zone: string): number {
  const utc = Date.parse(`${date}T00:00Z`);
  let low = utc - 15 * HOUR_MS;
  let high = utc + 15 * HOUR_MS;
  while (high - low > HOUR_MS / 4) {
    const middle = low + Math.floor((high - low) / (HOUR_MS / 2)) * (HOUR_MS / 4);
    if (findDate(middle, zone) < date) low = middle;
    else high = middle;
  }
  return high;
}
