/** Days of the site's calendar as "2026-11-21", and times of its clocks. Pure. */

import { locale } from "./locale.ts";
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

/** "Thu 19 November", with the year where it is not this one. */
export function nameDay(date: string, today: string): string {
  const year = date.slice(0, 4) === today.slice(0, 4) ? {} : { year: "numeric" as const };
  return formatDate(date, { weekday: "short", day: "numeric", month: "long", ...year });
}

/** A date in the reader's form: by itself "19 Nov". */
export function formatDate(date: string, options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" }): string {
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options }).format(Date.parse(`${date.slice(0, 10)}T00:00Z`));
}

/** The clock at an instant in a time zone, as the reader's clocks are: "13:05", "1:05 PM". */
export function formatClock(ms: number, zone: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, hour: chooseHours(), minute: "2-digit" }).format(ms);
}

/** Clocks of one axis: full hours alone are short on a clock of twelve hours ("6 AM"). */
export function formatClocks(times: number[], zone: string): string[] {
  const short = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "numeric" });
  const isShort = hasTwelveHours() && times.every((ms) => new Date(ms).getUTCMinutes() === 0);
  return times.map((ms) => (isShort ? short.format(ms) : formatClock(ms, zone)));
}

/** Date and clock: "19 Nov, 13:05". */
export function formatMoment(ms: number, zone: string): string {
  return new Intl.DateTimeFormat(locale, {
    timeZone: zone, day: "numeric", month: "short", hour: chooseHours(), minute: "2-digit",
  }).format(ms);
}

/** Whether the reader's clocks have twelve hours. */
export function hasTwelveHours(): boolean {
  return new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions().hour12 === true;
}

function chooseHours(): "numeric" | "2-digit" {
  return hasTwelveHours() ? "numeric" : "2-digit"; // 1:05 PM, 01:05
}

/** A zone as people write it: in the names of fixed offsets ("Etc/GMT-13") the sign is the other way round ("UTC+13"). */
export function nameZone(zone: string): string {
  const parts = /^Etc\/GMT(?:([+-])(\d{1,2}))?$/.exec(zone);
  if (parts === null) return zone;
  const [, sign, hours = "0"] = parts;
  return hours === "0" ? "UTC" : `UTC${sign === "-" ? "+" : "\u2212"}${hours}`;
}

/** The zone if this browser knows it, else UTC: an old browser must not fail on a new name. */
export function chooseZone(zone: string | null): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone ?? "UTC" }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}
