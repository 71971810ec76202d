/** Whether a panel is behind its peers, and since when. The receiver's alarm has a word of its own for more: weak. Pure. */

import type { PanelDay } from "./schema.ts";

/** What is asked of a day. */
export type JudgedDay = Pick<PanelDay, "local_start" | "in_progress" | "ratio" | "peers_wh">;

/** Below this share of what its peers give a panel is behind. */
const BEHIND = 0.8;
/** A day on which the peers gave less says nothing. */
const LEAST_PEERS_WH = 100;
/** One day may be snow on one panel, or a sky that made two roofs look like one. */
const JUDGED = 7;
const FEWEST = 3;

/** Whether a day is one on which the panel was well behind its peers. */
export function isBehind(day: JudgedDay): boolean {
  return isTelling(day) && day.ratio! < BEHIND;
}

/**
 * How a panel did on its last whole days.
 *
 * @returns The median ratio and how many days it rests on; `since`: the first of the days in a row, up to the last, on
 * which it was behind, where its median is; null where it is not.
 */
export function judgeDays<D extends JudgedDay>(days: D[]): { ratio: number | null; count: number; since: D | null } {
  const known = days.filter((day) => !day.in_progress && isTelling(day));
  const ratios = known.slice(-JUDGED).map((day) => day.ratio!).sort((one, other) => one - other);
  if (ratios.length === 0) return { ratio: null, count: 0, since: null };
  const ratio = (ratios[Math.floor((ratios.length - 1) / 2)]! + ratios[Math.ceil((ratios.length - 1) / 2)]!) / 2;
  const isLow = ratios.length >= FEWEST && ratio < BEHIND && isBehind(known.at(-1)!);
  const lastGood = known.findLastIndex((day) => !isBehind(day));
  return { ratio, count: ratios.length, since: isLow ? known[lastGood + 1]! : null };
}

function isTelling(day: JudgedDay): boolean {
  return day.ratio !== null && day.peers_wh !== null && day.peers_wh >= LEAST_PEERS_WH;
}
