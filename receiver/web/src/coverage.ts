/** How much of a span is known, in a sentence: what stands beside its files. Pure. */

import { formatDate } from "./days.ts";
import { describeFilled } from "./filled.ts";
import { formatShare } from "./format.ts";
import { isKnown } from "./known.ts";
import { language, locale, texts } from "./locale.ts";
import type { EnergyTable, EnergyWindow } from "./schema.ts";
import { computeKnownShare, type Span } from "./spans.ts";

const QUANTITIES = ["production", "load", "imported", "exported", "charged", "discharged"] as const;
/** So many stretches are named; further ones are counted. */
const MOST_NAMED = 4;
const FORMS: Record<Span["every"], Intl.DateTimeFormatOptions> = {
  "1d": { day: "numeric", month: "short" }, "1mo": { month: "long" }, "1y": { year: "numeric" },
};

/**
 * The sentences of the energies of a span, as the receiver's files have them.
 *
 * @param now Up to when (ms since 1970).
 * @param first The first day with readings: from then on, as the tiles above say it; null: it is not known.
 */
export function describeCoverage(table: EnergyTable, span: Span, now: number, first: string | null = null): string {
  const whole = table.windows.length === 1 ? table.windows[0]! : table.total;
  if (!isKnown(whole)) return texts.exports.nothing;
  const said = describeShares(whole, span, now, first);
  const empty = nameStretches(table.windows, span, first);
  return [said, describeFilled(whole), empty === "" ? "" : texts.exports.gaps(empty)].filter((one) => one !== "").join(" ");
}

function describeShares(whole: EnergyWindow, span: Span, now: number, first: string | null): string {
  const shares = QUANTITIES.filter((quantity) => whole[`${quantity}_coverage`] > 0).map((quantity) => {
    const share = computeKnownShare(whole[`${quantity}_coverage`], span, now, first);
    // never more than is known: 99.9 % is not everything
    return { name: texts.energy.quantities[quantity], share: formatShare(Math.floor(share * 100 + 1e-6) / 100) };
  });
  const [one, ...others] = shares.length > 0 ? shares : [{ share: formatShare(0) }];
  if (others.every(({ share }) => share === one!.share)) return texts.exports.known(one!.share);
  return texts.exports.shares(shares.map(({ name, share }) => `${name} ${share}`).join(", "));
}

/** The windows since the first reading that are over and of which nothing is known: "12\u201313 Mar and 20 Mar"; "" for none. */
function nameStretches(windows: EnergyWindow[], span: Span, first: string | null): string {
  const stretches: [EnergyWindow, EnergyWindow][] = [];
  windows.forEach((window, i) => {
    // the window of the first reading is known, so one without that begins earlier ends before it
    if (window.in_progress || isKnown(window) || (first !== null && window.local_start.slice(0, 10) < first)) return;
    const last = stretches.at(-1);
    if (last !== undefined && last[1] === windows[i - 1]) last[1] = window;
    else stretches.push([window, window]);
  });
  const named = stretches.slice(0, MOST_NAMED).map(([from, to]) => nameStretch(from.local_start, to.local_start, FORMS[span.every]));
  const further = stretches.length - named.length;
  if (further > 0) named.push(texts.exports.further(further));
  return new Intl.ListFormat(language).format(named);
}

function nameStretch(from: string, to: string, form: Intl.DateTimeFormatOptions): string {
  if (from === to) return formatDate(from, form);
  const [first, last] = [from, to].map((date) => Date.parse(`${date.slice(0, 10)}T00:00Z`));
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...form }).formatRange(first!, last!);
}
