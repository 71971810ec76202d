/**
 * A day as curves of quarter hours: of a site of several gateways, and of a gateway whose minutes have expired. Pure.
 *
 * A point is the mean of a quarter hour, from its energy, of several gateways where the receiver knows all: there the
 * rules of who measures what, of silence and of counters are kept already. A quarter hour that goes on, or of which less
 * than 95 % is known, has no point: what is missing would look like a cloud.
 */

import { coarsen } from "./coarse.ts";
import type { Curves } from "./chart.ts";
import type { EnergyWindow } from "./schema.ts";
import { QUARTER_MS } from "./units.ts";

const WHOLE = 0.95;
const QUARTERS_AN_HOUR = 4;

/**
 * Production, load, net (W) and the charge of the battery (%).
 *
 * @param windows The quarter hours.
 * @param charges Of each gateway: the charge by time (seconds since 1970). Where several have one there is no line: the
 * charge of batteries of unknown sizes has no mean.
 * @param start Of the day, and `stop` its end or now (ms since 1970).
 */
export function makeQuarterCurves(windows: EnergyWindow[], charges: Map<number, number>[], start: number, stop: number): Curves {
  const over = windows.filter((window) => !window.in_progress);
  const collect = (read: (window: EnergyWindow) => number | null): Map<number, number> =>
    new Map(over.flatMap((window) => {
      const wh = read(window);
      return wh === null ? [] : [[window.start / 1000, wh * QUARTERS_AN_HOUR] as const];
    }));
  const known = charges.filter((charge) => charge.size > 0);
  return coarsen([
    collect((window) => readWhole(window, "production")),
    collect((window) => readWhole(window, "load")),
    collect((window) => {
      const [imported, exported] = [readWhole(window, "imported"), readWhole(window, "exported")];
      return imported === null || exported === null ? null : imported - exported;
    }),
    known.length === 1 ? known[0]! : new Map<number, number>(),
  ], start / 1000, stop / 1000, QUARTER_MS / 1000);
}

function readWhole(window: EnergyWindow, quantity: "production" | "load" | "imported" | "exported"): number | null {
  return window[`${quantity}_coverage`] >= WHOLE ? window[`${quantity}_wh`] : null;
}
