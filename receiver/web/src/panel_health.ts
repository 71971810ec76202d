/** Panels that need a person: silent ones, and weak ones with the day on which it began. Pure. */

import { formatMoment } from "./days.ts";
import { formatRatio } from "./format.ts";
import type { PageNotice } from "./health.ts";
import { namePanel } from "./layout.ts";
import type { InverterEntry } from "./schema.ts";
import { judgeDays, type JudgedDay } from "./weak.ts";

/** More names than these make no sentence. */
const MOST_NAMED = 5;

/** The notices of a roof; `days` are the last days of each panel, by serial. */
export function listPanelNotices(panels: InverterEntry[], days: Map<string, JudgedDay[]>, zone: string): PageNotice[] {
  const silent = panels.filter((panel) => panel.state === "silent").map((panel) =>
    ({ serial: panel.inverter, name: namePanel(panel), words: panel.timestamp === null ? "never heard" : `since ${formatMoment(panel.timestamp, zone)}` }));
  const weak = panels.filter((panel) => panel.state !== "silent" && panel.state !== "gone").flatMap((panel) => {
    const { ratio, since } = judgeDays(days.get(panel.inverter) ?? []);
    return since === null ? [] : [{ serial: panel.inverter, name: namePanel(panel), words: `Since ${nameDate(since)} it gives about ${formatRatio(ratio)}` }];
  });
  return [
    ...makeNotice("silent", "panel-dead", silent, (words) => `It has not reported ${words}, though its peers do.`, "If it stays so, look at its inverter and cable."),
    ...makeNotice("weak", "panel-weak", weak, (words) => `${words} of what its peers do.`, "Look for shade, dirt or a defect."),
  ];
}

interface FoundPanel { serial: string; name: string; words: string }

function makeNotice(
  state: string, alarm: string, found: FoundPanel[], say: (words: string) => string, advice: string,
): PageNotice[] {
  const [only] = found;
  if (only === undefined) return [];
  const same = { level: "warn" as const, alarm, subjects: found.map(({ serial }) => serial) };
  if (found.length === 1) return [{ ...same, title: `${only.name} is ${state}`, advice: `${say(only.words)} ${advice}` }];
  const named = found.slice(0, MOST_NAMED).map(({ name, words }) => `${name}: ${words.replace(/^S/, "s")}`).join("; ");
  const more = found.length > MOST_NAMED ? `; and ${found.length - MOST_NAMED} more` : "";
  return [{ ...same, title: `${found.length} panels are ${state}`, advice: `${named}${more}. ${advice}` }];
}

function nameDate(day: JudgedDay): string {
  const date = Date.parse(`${day.local_start.slice(0, 10)}T00:00Z`);
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" }).format(date);
}
