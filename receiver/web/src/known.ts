/** Which days have readings, so that nobody walks into empty ones. */

import { get, nameGatewayPath } from "./api.ts";
import { isFilled } from "./filled.ts";
import type { EnergyTable, EnergyWindow } from "./schema.ts";

/** No system of this kind is older. */
export const OLDEST = "2006-01-01";
const FRESH_MS = 60_000;

interface Held {
  at: number;
  dates: Promise<string[]>;
}

export class KnownDays {
  private readonly serials: readonly string[];
  private readonly held = new Map<string, Held>();
  /** The first day with readings; null: not read yet, or there is none. */
  first: string | null = null;

  /** @param serials Of the gateways of a system: a day with readings of any of them counts, by the calendar of its site. */
  constructor(serials: readonly string[]) {
    this.serials = serials;
  }

  /** Read when the readings begin. Throws ApiError. */
  async readFirst(): Promise<void> {
    this.first = await this.findNearest(OLDEST, 1);
  }

  /** The nearest day with readings from a date on (1) or back (-1), itself included; null: there is none. Throws ApiError. */
  async findNearest(date: string, direction: 1 | -1): Promise<string | null> {
    const years = await this.list("1y", OLDEST, null);
    for (const year of selectFrom(years, date, direction, 4)) {
      const months = await this.list("1mo", year, `${Number(year.slice(0, 4)) + 1}-01-01`);
      for (const month of selectFrom(months, date, direction, 7)) {
        const stop = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 1)).toISOString().slice(0, 10);
        const found = selectFrom(await this.list("1d", month, stop), date, direction, 10)[0];
        if (found !== undefined) return found;
      }
    }
    return null;
  }

  private list(every: string, start: string, stop: string | null): Promise<string[]> {
    const key = `${every} ${start}`;
    const held = this.held.get(key);
    if (held !== undefined && performance.now() - held.at < FRESH_MS) return held.dates;
    const dates = this.ask(every, start, stop);
    this.held.set(key, { at: performance.now(), dates });
    dates.catch(() => this.held.delete(key));
    return dates;
  }

  private async ask(every: string, start: string, stop: string | null): Promise<string[]> {
    const asked = { every, start, ...(stop === null || Date.parse(stop) > Date.now() ? {} : { stop }) };
    const tables = await Promise.all(this.serials.map((serial) => get<EnergyTable>(nameGatewayPath(serial, "/energy"), asked)));
    const dates = tables.flatMap((table) => table.windows.filter(isKnown).map((window) => window.local_start.slice(0, 10)));
    return [...new Set(dates)].sort();
  }
}

/** Whether anything is known of a window, if only by the cloud. */
export function isKnown(window: EnergyWindow): boolean {
  return isFilled(window) || window.production_coverage > 0 || window.load_coverage > 0 || window.imported_coverage > 0 || window.exported_coverage > 0;
}

/** Those that do not lie wholly before (or after) a date, in the direction; only so many characters of dates count. */
export function selectFrom(dates: string[], date: string, direction: 1 | -1, characters: number): string[] {
  const wanted = date.slice(0, characters);
  const fit = dates.filter((one) => (direction > 0 ? one.slice(0, characters) >= wanted : one.slice(0, characters) <= wanted));
  return direction > 0 ? fit : fit.reverse();
}
