/** How numbers, ages and shares look to people. Pure. */

import { locale, texts } from "./locale.ts";
import { DAY_S, YEAR_S } from "./units.ts";

const THIN = "\u202f"; // a narrow space that does not break: value and unit stay together

type Unit = "W" | "Wh";

/**
 * A power or an energy: "640 W", "1.24 kW", "12.3 kWh", "1.05 MWh"; a dash for what is not known. A half is rounded away
 * from zero, so that "\u22127.5 W" on the page and "selling 7.5 W" in speech are one number.
 */
export function formatAmount(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return texts.none;
  const whole = Math.round(Math.abs(value));
  if (whole < 1000) return `${formatDigits(value < 0 ? -whole : whole, 0)}${THIN}${unit}`;
  return Math.abs(value) < 999_950
    ? `${formatThousands(value)}${THIN}k${unit}`
    : `${formatThousands(value / 1000)}${THIN}M${unit}`;
}

/** A value in thousands as it stands before its unit: "0.64", "1.24", "12.3". */
export function formatThousands(value: number): string {
  const scaled = value / 1000;
  return formatDigits(scaled, Math.abs(scaled) < 9.995 ? 2 : 1);
}

/** Ticks of one axis, all in one unit, with as many decimals as they need; nothing is "0", whatever the unit. */
export function formatTicks(ticks: number[], unit: Unit): string[] {
  const largest = Math.max(...ticks.map(Math.abs));
  const [size, prefix] = largest < 1000 ? [1, ""] : largest < 1_000_000 ? [1000, "k"] : [1_000_000, "M"];
  const isWhole = (decimals: number): boolean => ticks.every((tick) => Number.isInteger((tick * 10 ** decimals) / size));
  const decimals = isWhole(0) ? 0 : isWhole(1) ? 1 : 2;
  return ticks.map((tick) => (tick === 0 ? "0" : `${formatDigits(tick / size, size === 1 ? 0 : decimals)}${THIN}${prefix}${unit}`));
}

/** A number with so many decimals, as the reader writes it, and a true minus sign; never "-0". */
export function formatDigits(value: number, decimals: number): string {
  const rounded = Number(Math.abs(value).toFixed(decimals)); // Intl rounds 12.35 up, and the terminal view does not
  const text = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(rounded);
  return value < 0 && rounded !== 0 ? `\u2212${text}` : text;
}

/** A measured value with its unit, e.g. "231.4 V"; a dash for what is not known. */
export function formatMeasurement(value: number | null | undefined, unit: string, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return texts.none;
  return unit ? `${formatDigits(value, decimals)}${THIN}${unit}` : formatDigits(value, decimals);
}

/** A share from 0 to 1 as "84 %". */
export function formatShare(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return texts.none;
  return `${Math.round(Math.min(1, Math.max(0, value)) * 100)}${THIN}%`;
}

/** One value by another as "84 %", also above 100 %. */
export function formatRatio(value: number | null | undefined): string {
  return formatMeasurement(typeof value === "number" ? value * 100 : value, "%", 0);
}

/** How long ago, from seconds: "now", "42 s ago", "12 min ago", "5 h ago", "3 days ago", "4 years ago". */
export function formatAge(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return texts.time.never;
  return seconds < 3 ? texts.time.now : texts.time.ago(formatDuration(seconds, true));
}

/**
 * A length of time in its largest fitting unit: "42 s", "12 min", "5 h", "3 days", from two years on "4 years".
 *
 * @param isAfter It stands after a preposition: "vor 3 Tagen".
 */
export function formatDuration(seconds: number, isAfter = false): string {
  if (seconds < 90) return `${Math.round(seconds)}${THIN}s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)}${THIN}min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)}${THIN}h`;
  const { days, daysAfter, years, yearsAfter } = texts.time;
  if (seconds < 2 * YEAR_S) return (isAfter ? daysAfter : days)(Math.round(seconds / DAY_S));
  return (isAfter ? yearsAfter : years)(Math.round(seconds / YEAR_S));
}
