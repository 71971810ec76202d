/**
 * Panels that need a person: silent ones, and those behind their peers, with the day on which it began. Pure.
 *
 * Two words for two levels: a panel is weak where the receiver's alarm says so (less than half of its peers on each of two
 * days), and behind where its last days say less (weak.ts).
 */

import { formatDate, formatMoment } from "./days.ts";
import { formatRatio } from "./format.ts";
import type { PageNotice } from "./health.ts";
import { namePanel } from "./layout.ts";
import { texts } from "./locale.ts";
import type { InverterEntry } from "./schema.ts";
import { judgeDays, type JudgedDay } from "./weak.ts";

/** More names than these make no sentence. */
const MOST_NAMED = 5;

/**
 * The notices of a roof.
 *
 * @param days The last days of each panel, by serial.
 * @param weak Serials of those that the receiver's alarm calls weak.
 */
export function listPanelNotices(
  panels: InverterEntry[], days: Map<string, JudgedDay[]>, weak: ReadonlySet<string | null>, zone: string,
): PageNotice[] {
  const { panelSilent, panelWeak, panelBehind } = texts.notices;
  const silent = panels.filter((panel) => panel.state === "silent").map((panel) =>
    ({ serial: panel.inverter, name: namePanel(panel), words: panel.timestamp === null ? panelSilent.never : panelSilent.since(formatMoment(panel.timestamp, zone)) }));
  const behind = panels.filter((panel) => panel.state !== "silent" && panel.state !== "gone").flatMap((panel) => {
    const { ratio, since } = judgeDays(days.get(panel.inverter) ?? []);
    return since === null ? [] : [{ serial: panel.inverter, name: namePanel(panel), words: panelWeak.since(formatDate(since.local_start), formatRatio(ratio)) }];
  });
  return [
    ...makeNotice("panel-dead", silent, panelSilent),
    ...makeNotice("panel-weak", behind.filter(({ serial }) => weak.has(serial)), panelWeak),
    ...makeNotice(null, behind.filter(({ serial }) => !weak.has(serial)), { ...panelWeak, ...panelBehind }),
  ];
}

interface FoundPanel { serial: string; name: string; words: string }

type NoticeWords = Pick<typeof texts.notices.panelWeak, "one" | "many" | "say" | "advice">;

function makeNotice(alarm: string | null, found: FoundPanel[], say: NoticeWords): PageNotice[] {
  const [only] = found;
  if (only === undefined) return [];
  const known = alarm === null ? {} : { alarm, subjects: found.map(({ serial }) => serial) };
  const same = { level: "warn" as const, ...known };
  if (found.length === 1) return [{ ...same, title: say.one(only.name), advice: `${say.say(only.words)} ${say.advice}` }];
  const named = found.slice(0, MOST_NAMED).map(({ name, words }) => `${name}: ${words}`).join("; ");
  const more = found.length > MOST_NAMED ? texts.notices.morePanels(found.length - MOST_NAMED) : "";
  return [{ ...same, title: say.many(found.length), advice: `${named}${more}. ${say.advice}` }];
}
