/** Amounts of money. Pure. */

import { formatDigits } from "./format.ts";
import { locale, texts } from "./locale.ts";

/** What came in less what went out; null where neither is known. */
export function computeBalance(energy: { cost: number | null; feed_in: number | null }): number | null {
  return energy.cost === null && energy.feed_in === null ? null : (energy.feed_in ?? 0) - (energy.cost ?? 0);
}

/** An amount as the reader's locale writes it; a plain number where the sites file names no currency (null). */
export function formatMoney(value: number | null, currency: string | null): string {
  if (value === null) return texts.none;
  if (currency === null) return formatDigits(value, 2);
  const money = new Intl.NumberFormat(locale, { style: "currency", currency, signDisplay: "negative" });
  return money.format(value).replace("-", "\u2212");
}
