/** What the receiver's own alarms say, instead of what the status of a gateway says without them. Pure. */

import { formatMoment } from "./days.ts";
import { formatAmount, formatDigits, formatDuration, formatMeasurement } from "./format.ts";
import type { PageNotice } from "./health.ts";
import { texts } from "./locale.ts";
import type { AlarmEntry, GatewayStatus } from "./schema.ts";

type Source = GatewayStatus["source"];

const MOST_REASONS = 3;

/**
 * The notices with those of alarms that fire, the critical ones first. An alarm knows the beginning and what to do, so it
 * takes the place of a notice that says the same of the system; a notice of panels stays, and speaks for their alarms.
 * Many panels are one notice. Null: nobody knows which fire. A system of the cloud has words of its own.
 */
export function addAlarms(said: PageNotice[], alarms: AlarmEntry[] | null, zone: string, source: Source = "gateway"): PageNotice[] {
  if (alarms === null) return [...said, { level: "warn", title: texts.alarms.unknown, advice: texts.alarms.unknownAdvice }];
  const isKnown = (one: AlarmEntry): boolean =>
    said.some(({ alarm, subjects }) => alarm === one.alarm && one.subject !== null && subjects !== undefined && subjects.includes(one.subject));
  const groups = new Map<string, AlarmEntry[]>();
  for (const alarm of alarms) {
    if (alarm.state === "firing" && !isKnown(alarm)) groups.set(alarm.alarm, [...(groups.get(alarm.alarm) ?? []), alarm]);
  }
  const kept = said.filter(({ alarm, subjects }) => alarm === undefined || subjects !== undefined || !groups.has(alarm));
  const all = [...kept, ...[...groups.values()].map((group) => summariseAlarms(group, zone, source))];
  return [...all.filter((notice) => notice.level === "bad"), ...all.filter((notice) => notice.level === "warn")];
}

function summariseAlarms(group: AlarmEntry[], zone: string, source: Source): PageNotice {
  const first = group[0]!;
  const { title, advice } = chooseWords(first, source) ?? first;
  const reasons = group.slice(0, MOST_REASONS).map((one) => texts.alarms.since(describeReason(one, source), formatMoment(one.since, zone)));
  const more = group.length > MOST_REASONS ? [texts.alarms.more(group.length - MOST_REASONS)] : [];
  return {
    level: first.severity === "critical" ? "bad" : "warn",
    title: group.length > 1 ? `${title} (${group.length})` : title,
    advice: [...reasons, ...more, advice].join(" "),
    alarm: first.alarm,
  };
}

/** Why an alarm fires, in the reader's language; where a value is missing (an older version kept none), as the receiver says. */
function describeReason(alarm: AlarmEntry, source: Source): string {
  const words = chooseWords(alarm, source);
  if (words === undefined) return alarm.reason;
  return fillIn(words.reason, { ...alarm.values, gateway: alarm.gateway ?? "", subject: alarm.subject ?? "" }) ?? alarm.reason;
}

/** The words for whom it is about: the receiver, a system of the cloud, or a gateway; none where the receiver's own are read. */
function chooseWords(alarm: AlarmEntry, source: Source): { title: string; reason: string; advice: string } | undefined {
  const words = texts.alarms.words?.[alarm.alarm];
  if (words === undefined) return undefined;
  if (alarm.gateway === null) return { ...words, reason: words.ofReceiver ?? words.reason };
  return source === "cloud" ? words.ofCloud ?? words : words;
}

const UNITS: Record<string, (value: number) => string> = {
  s: (value) => formatDuration(value),
  w: (value) => formatAmount(value, "W"),
  v: (value) => formatMeasurement(value, "V", 0),
  gib: (value) => formatMeasurement(value, "GiB", 1),
  share: (value) => formatMeasurement(value * 100, "%", value < 0.1 ? 1 : 0),
};

/** A text with values in the place of their names in braces, each by the unit at the end of its name; null: one is missing. */
function fillIn(text: string, values: Record<string, number | string>): string | null {
  let isWhole = true;
  const filled = text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    isWhole &&= value !== undefined;
    if (typeof value !== "number") return value ?? "";
    return (UNITS[name.slice(name.lastIndexOf("_") + 1)] ?? ((plain) => formatDigits(plain, 0)))(value);
  });
  return isWhole ? filled : null;
}
