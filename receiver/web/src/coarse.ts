/** Fewer points for a small screen. Pure. */

import type { Curves } from "./chart.ts";

/**
 * The means of series over steps of one length.
 *
 * @param series Values by time (start of their window, seconds since 1970).
 * @param start Of the first step; `stop` is the end of the last.
 * @param step Length in seconds.
 * @returns One value for each step and series; null where the step has no value.
 */
export function coarsen(series: Map<number, number>[], start: number, stop: number, step: number): Curves {
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const times = Array.from({ length: count }, (_, i) => start + i * step);
  const values = series.map((points) => {
    const sums = new Float64Array(count);
    const counts = new Uint32Array(count);
    for (const [time, value] of points) {
      const i = Math.floor((time - start) / step);
      if (i < 0 || i >= count) continue;
      sums[i]! += value;
      counts[i]! += 1;
    }
    return times.map((_, i) => (counts[i] ? sums[i]! / counts[i]! : null));
  });
  return { times, values };
}

/**
 * The energies (Wh) of mean powers of quarter hours, of a panel and of its peers. Theirs count only where the panel is known,
 * too: reports come at different times, and nobody is behind for reporting later.
 */
export function compareEnergies(
  power: Map<number, number>, peers: Map<number, number>,
): { energy: number | null; peersEnergy: number | null } {
  const common = [...peers].filter(([time]) => power.has(time)).map(([, value]) => value);
  return { energy: sumEnergy([...power.values()]), peersEnergy: sumEnergy(common) };
}

function sumEnergy(quarters: number[]): number | null {
  return quarters.length === 0 ? null : quarters.reduce((sum, power) => sum + power / 4, 0);
}
