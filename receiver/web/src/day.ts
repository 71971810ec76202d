/** The day that is shown, in the site's time zone. Pure. */

import { findDate, nameDay, addDays } from "./days.ts";

/** `start` and `stop` are its midnights in ms since 1970; `date` and `next` are as "2026-11-21". */
export interface Day {
  date: string;
  next: string;
  name: string;
  zone: string;
  start: number;
  stop: number;
  isToday: boolean;
}

const HOUR_MS = 3_600_000;

/** The day `date` (null: today) as of `now`. */
export function findDay(date: string | null, now: number, zone: string): Day {
  const today = findDate(now, zone);
  const shown = date ?? today;
  const next = addDays(shown, 1);
  return {
    date: shown,
    next,
    name: nameDay(shown, today),
    zone,
    start: findStart(shown, zone),
    stop: findStart(next, zone),
    isToday: shown === today,
  };
}

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
