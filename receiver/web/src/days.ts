/** Days of the site's calendar as "2026-11-21", and times of its clocks. Pure. */

import { DAY_MS } from "./units.ts";

/** The date at an instant (ms since 1970) in a time zone. */
export function findDate(ms: number, zone: string): string {
  // en-CA writes dates as ISO 8601 does
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(ms);
}

/** So many days later, or earlier for a negative number. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** "Today", "Yesterday", or "Thu 19 November", with the year where it is not this one. */
export function nameDay(date: string, today: string): string {
  if (date === today) return "Today";
  if (date === addDays(today, -1)) return "Yesterday";
  const year = date.slice(0, 4) === today.slice(0, 4) ? {} : { year: "numeric" as const };
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: "UTC", weekday: "short", day: "numeric", month: "long", ...year,
  }).format(Date.parse(`${date}T00:00Z`));
}

/** The clock at an instant in a time zone: "13:05". */
export function formatClock(ms: number, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(ms);
}

/** Date and clock: "19 Nov, 13:05". */
export function formatMoment(ms: number, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
  }).format(ms);
}

/** The zone if this browser knows it, else UTC: an old browser must not fail on a new name. */
export function chooseZone(zone: string | null): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone ?? "UTC" }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}
