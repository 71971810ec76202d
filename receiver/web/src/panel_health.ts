/** Panels that need a person: silent ones, and weak ones with the day on which it began. Pure. */

import { formatDate, formatMoment } from "./days.ts";
import { formatRatio } from "./format.ts";
import type { PageNotice } from "./health.ts";
import { namePanel } from "./layout.ts";
import { texts } from "./locale.ts";
import type { InverterEntry } from "./schema.ts";
import { judgeDays, type JudgedDay } from "./weak.ts";

/** More names than these make no sentence. */
const MOST_NAMED = 5;

/** The notices of a roof; `days` are the last days of each panel, by serial. */
export function listPanelNotices(panels: InverterEntry[], days: Map<string, JudgedDay[]>, zone: string): PageNotice[] {
  const { panelSilent, panelWeak } = texts.notices;
  const silent = panels.filter((panel) => panel.state === "silent").map((panel) =>
    ({ serial: panel.inverter, name: namePanel(panel), words: panel.timestamp === null ? panelSilent.never : panelSilent.since(formatMoment(panel.timestamp, zone)) }));
  const weak = panels.filter((panel) => panel.state !== "silent" && panel.state !== "gone").flatMap((panel) => {
    const { ratio, since } = judgeDays(days.get(panel.inverter) ?? []);
    return since === null ? [] : [{ serial: panel.inverter, name: namePanel(panel), words: panelWeak.since(formatDate(since.local_start), formatRatio(ratio)) }];
  });
  return [
    ...makeNotice("panel-dead", silent, panelSilent),
    ...makeNotice("panel-weak", weak, panelWeak),
  ];
}

interface FoundPanel { serial: string; name: string; words: string }

type NoticeWords = Pick<typeof texts.notices.panelWeak, "one" | "many" | "say" | "advice">;

function makeNotice(alarm: string, found: FoundPanel[], say: NoticeWords): PageNotice[] {
  const [only] = found;
  if (only === undefined) return [];
  const same = { level: "warn" as const, alarm, subjects: found.map(({ serial }) => serial) };
  if (found.length === 1) return [{ ...same, title: say.one(only.name), advice: `${say.say(only.words)} ${say.advice}` }];
  const named = found.slice(0, MOST_NAMED).map(({ name, words }) => `${name}: ${words}`).join("; ");
  const more = found.length > MOST_NAMED ? texts.notices.morePanels(found.length - MOST_NAMED) : "";
  return [{ ...same, title: say.many(found.length), advice: `${named}${more}. ${say.advice}` }];
}
