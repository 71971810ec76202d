/** A span that is over beside the one before and the one a year ago. */

import { formatRatio } from "./format.ts";
import { texts } from "./locale.ts";
import type { EnergyTable } from "./schema.ts";
import { addDays } from "./days.ts";
import { computeKnownShare, findSpan, type Span } from "./spans.ts";

/** Below this share of known time two spans are not compared: what is missing would look like bad weather. */
const WHOLE = 0.95;

/** The span before, and the same one a year ago; none where a span goes on or holds all years. */
export function listComparable(span: Span): { words: string; span: Span }[] {
  if (span.isCurrent || span.kind === "all") return [];
  const find = (date: string): Span => findSpan(span.kind, date, Date.now(), span.zone, null);
  const before = { words: texts.energy.before[span.kind], span: find(addDays(span.date, -1)) };
  if (span.kind === "year") return [before];
  return [before, { words: texts.energy.yearAgo, span: find(findYearBefore(span)) }];
}

/** Weeks are compared with the one 52 weeks ago, days and months with the same date. */
function findYearBefore(span: Span): string {
  if (span.kind === "week") return addDays(span.date, -364);
  const wanted = `${Number(span.date.slice(0, 4)) - 1}${span.date.slice(4)}`;
  return wanted.endsWith("02-29") && addDays(wanted, 0) !== wanted ? addDays(wanted, -1) : wanted;
}

/** What is said of a span beside those that it is compared with; `read` reads the energy of each. Throws what it throws. */
export async function compareSpan(
  table: EnergyTable, span: Span, read: (other: Span) => Promise<EnergyTable>,
): Promise<{ than: string; said: string }[]> {
  return await Promise.all(listComparable(span).map(async (other) =>
    ({ than: other.words, said: compareEnergy(table, span, await read(other.span), other.span) })));
}

/** What is said of production and use beside another span: "produced 12 % more, used 3 % less"; "" where it is not known. */
export function compareEnergy(one: EnergyTable, of: Span, other: EnergyTable, otherOf: Span): string {
  return (["production", "load"] as const).flatMap((quantity) => {
    const say = texts.energy.compared[quantity];
    const [energy, otherEnergy] = [one.total[`${quantity}_wh`], other.total[`${quantity}_wh`]];
    const isWhole = [[one, of], [other, otherOf]] as const;
    const known = isWhole.every(([table, span]) =>
      computeKnownShare(table.total[`${quantity}_coverage`], span, span.stop, null) >= WHOLE);
    if (!known || energy === null || otherEnergy === null || otherEnergy <= 0) return [];
    const change = energy / otherEnergy - 1;
    const rounded = Math.round(Math.abs(change) * 100);
    const share = formatRatio(Math.abs(change));
    return [rounded === 0 ? say.same : change > 0 ? say.more(share) : say.less(share)];
  }).join(", ");
}
