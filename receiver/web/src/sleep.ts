/** Whether the roof sleeps, and since when. Pure. */

import { formatClock } from "./days.ts";
import { formatAge } from "./format.ts";
import { texts } from "./locale.ts";
import type { InverterEntry } from "./schema.ts";
import { DAY_MS } from "./units.ts";

const INTERVAL_S = 900;
/** Intervals after which a report is shown as old; it may still count in `/power`, for half an hour. */
const INTERVALS = 2;
/** More than this of any other witness (a meter) is daylight. */
const DAYLIGHT_W = 50;

/** What else tells whether it is night: whether readings come, and what a meter sees of the sun (W; null: nobody says). */
export interface RoofWitness {
  isHeard: boolean;
  production: number | null;
}

/** Whether what a panel reported is too old to be of now. */
export function isOld(panel: InverterEntry): boolean {
  return panel.age_seconds === null || panel.age_seconds > INTERVALS * (panel.interval ?? INTERVAL_S);
}

/**
 * Whether a panel's last value says nothing of now. A young report of nothing at all is a value as any other while
 * other panels give power: it may be the panel that needs a person.
 */
export function isAsleep(panel: InverterEntry, others: InverterEntry[]): boolean {
  if (isOld(panel)) return true;
  return panel.state === "idle" && !others.some((one) => one.state === "producing" && !isOld(one));
}

/** The last report of power, where every panel sleeps though readings come: ms since 1970. null: it is no night. */
export function findSleep(panels: InverterEntry[], witness: RoofWitness): { since: number | null } | null {
  const present = panels.filter((panel) => panel.state !== "gone");
  const sleeps = present.length > 0 && present.every((panel) => isAsleep(panel, present));
  if (!sleeps || !witness.isHeard || (witness.production ?? 0) > DAYLIGHT_W) return null;
  const giving = present.filter((panel) => (panel.power ?? 0) > 1);
  const quiet = present.filter((panel) => panel.timestamp !== null && (panel.power ?? 0) <= 1);
  const last = Math.max(...giving.map((panel) => panel.timestamp ?? 0));
  // where most panels went on to report nothing, their last report of power is not known here any more
  const next = quiet.filter((panel) => panel.timestamp! > last + 2 * INTERVALS * INTERVAL_S * 1000);
  return { since: giving.length === 0 || next.length > present.length / 2 ? null : last };
}

/** How the roof is, in a few words. */
export function describeRoof(panels: InverterEntry[], witness: RoofWitness, zone: string, now: number): string {
  const sleep = findSleep(panels, witness);
  const silent = panels.filter((panel) => panel.state === "silent").length;
  const gone = panels.filter((panel) => panel.state === "gone").length;
  const newest = Math.min(...panels.map((panel) => panel.age_seconds ?? Infinity));
  const heard = panels.length - silent - gone;
  const say = texts.panels;
  const parts = [];
  if (sleep !== null) {
    const isRecent = sleep.since !== null && now - sleep.since < DAY_MS;
    parts.push(isRecent ? say.asleepSince(formatClock(sleep.since!, zone)) : say.asleep);
  } else if (panels.every(isOld)) parts.push(say.noReport(formatAge(newest)));
  else parts.push(say.countHeard(heard, panels.length, formatAge(newest)));
  if (silent) parts.push(say.countSilent(silent));
  if (gone) parts.push(say.countGone(gone));
  return parts.join(", ");
}
