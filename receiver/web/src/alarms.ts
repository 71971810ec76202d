/** What the receiver's own alarms add to what the status of a gateway says already. Pure. */

import { formatMoment } from "./days.ts";
import type { PageNotice } from "./health.ts";
import { texts } from "./locale.ts";
import type { AlarmEntry } from "./schema.ts";

const MOST_REASONS = 3;

/**
 * The notices with those of alarms that fire and that they do not speak of yet, the critical ones first. Many panels
 * are one notice. Null: nobody knows which fire.
 */
export function addAlarms(said: PageNotice[], alarms: AlarmEntry[] | null, zone: string): PageNotice[] {
  if (alarms === null) return [...said, { level: "warn", title: texts.alarms.unknown, advice: texts.alarms.unknownAdvice }];
  const isKnown = (one: AlarmEntry): boolean =>
    said.some(({ alarm, subjects }) => alarm === one.alarm && (subjects === undefined || (one.subject !== null && subjects.includes(one.subject))));
  const groups = new Map<string, AlarmEntry[]>();
  for (const alarm of alarms) {
    if (alarm.state === "firing" && !isKnown(alarm)) groups.set(alarm.alarm, [...(groups.get(alarm.alarm) ?? []), alarm]);
  }
  const added = [...groups.values()].map((group) => summariseAlarms(group, zone));
  const all = [...said, ...added];
  return [...all.filter((notice) => notice.level === "bad"), ...all.filter((notice) => notice.level === "warn")];
}

function summariseAlarms(group: AlarmEntry[], zone: string): PageNotice {
  const first = group[0]!;
  const { title, advice } = texts.alarms.words?.[first.alarm] ?? first; // the reasons are the receiver's
  const reasons = group.slice(0, MOST_REASONS).map((one) => texts.alarms.since(one.reason, formatMoment(one.since, zone)));
  const more = group.length > MOST_REASONS ? [texts.alarms.more(group.length - MOST_REASONS)] : [];
  return {
    level: first.severity === "critical" ? "bad" : "warn",
    title: group.length > 1 ? `${title} (${group.length})` : title,
    advice: [...reasons, ...more, advice].join(" "),
    alarm: first.alarm,
  };
}
