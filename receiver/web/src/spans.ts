/** The day, week, month, year or all years that are shown, in the site's time zone. Pure. */

import { addDays, findDate, formatDate, nameDay } from "./days.ts";
import { findStart } from "./day.ts";
import { locale, texts } from "./locale.ts";

export const KINDS = ["day", "week", "month", "year", "all"] as const;
export type SpanKind = (typeof KINDS)[number];
type SpanCall = "today" | "yesterday" | "thisWeek" | "allYears";

/**
 * `date` is the first day, `next` the first day after it (as "2026-11-21"), `start` and `stop` are their midnights in ms
 * since 1970; `every` is how long the windows are that it is cut into.
 */
export interface Span {
  kind: SpanKind;
  date: string;
  next: string;
  name: string;
  /** The name that it has today alone, if it has one. */
  called: SpanCall | null;
  zone: string;
  start: number;
  stop: number;
  /** It has not ended yet. */
  isCurrent: boolean;
  every: "1d" | "1mo" | "1y";
}

const EVERY: Record<SpanKind, Span["every"]> = { day: "1d", week: "1d", month: "1d", year: "1mo", all: "1y" };

/**
 * The span of a kind that holds a date.
 *
 * @param date null: today.
 * @param first The first day with readings, where all years begin; null: it is not known.
 */
export function findSpan(kind: SpanKind, date: string | null, now: number, zone: string, first: string | null): Span {
  const today = findDate(now, zone);
  const held = date ?? today;
  const [begin, next] = findEnds(kind, held, today, first);
  const called = nameByToday(kind, begin, next, today);
  return {
    kind, date: begin, next, zone,
    name: called === null ? nameSpan(kind, begin, next, today) : texts.time[called],
    called,
    start: findStart(begin, zone),
    stop: findStart(next, zone),
    isCurrent: begin <= today && today < next,
    every: EVERY[kind],
  };
}

/** Whether a text of an address is a date that there is. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00Z`)) && addDays(text, 0) === text;
}

function findEnds(kind: SpanKind, held: string, today: string, first: string | null): [string, string] {
  const year = Number(held.slice(0, 4));
  if (kind === "day") return [held, addDays(held, 1)];
  if (kind === "week") {
    const weekday = (new Date(`${held}T00:00Z`).getUTCDay() + 6) % 7; // from Monday, as the receiver's weeks are
    return [addDays(held, -weekday), addDays(held, 7 - weekday)];
  }
  if (kind === "month") return [`${held.slice(0, 7)}-01`, findNextMonth(held)];
  if (kind === "year") return [writeNewYear(year), writeNewYear(year + 1)];
  return [writeNewYear(Number((first ?? today).slice(0, 4))), writeNewYear(Number(today.slice(0, 4)) + 1)];
}

function findNextMonth(held: string): string {
  return new Date(Date.UTC(Number(held.slice(0, 4)), Number(held.slice(5, 7)), 1)).toISOString().slice(0, 10);
}

function writeNewYear(year: number): string {
  return `${String(year).padStart(4, "0")}-01-01`;
}

function nameByToday(kind: SpanKind, begin: string, next: string, today: string): SpanCall | null {
  if (kind === "day") return begin === today ? "today" : begin === addDays(today, -1) ? "yesterday" : null;
  if (kind === "week") return begin <= today && today < next ? "thisWeek" : null;
  return kind === "all" ? "allYears" : null;
}

function nameSpan(kind: SpanKind, begin: string, next: string, today: string): string {
  if (kind === "day") return nameDay(begin, today);
  if (kind === "year") return begin.slice(0, 4);
  if (kind === "month") return formatDate(begin, { month: "long", year: "numeric" });
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" })
    .formatRange(Date.parse(`${begin}T00:00Z`), Date.parse(`${next}T00:00Z`) - 1);
}

/** The share of a span's time with readings to be expected (since the first day, until now) that is known. */
export function computeKnownShare(coverage: number, span: Span, now: number, first: string | null): number {
  const from = first === null ? span.start : Math.max(span.start, findStart(first, span.zone));
  const expected = Math.min(now, span.stop) - from;
  return expected <= 0 ? 1 : Math.min(1, (coverage * (span.stop - span.start)) / expected);
}
