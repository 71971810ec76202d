/** Amounts of money. Pure. */

import { formatDigits } from "./format.ts";
import { locale, texts } from "./locale.ts";
import type { EnergyWindow } from "./schema.ts";

type Bill = Pick<EnergyWindow, "cost" | "feed_in" | "imported_wh" | "exported_wh">;

/** What came in less what went out; null where a price is unknown of something that was bought or sold. */
export function computeBalance(window: Bill): number | null {
  const paid = window.cost ?? (window.imported_wh === 0 ? 0 : null);
  const earned = window.feed_in ?? (window.exported_wh === 0 ? 0 : null);
  return paid === null || earned === null ? null : earned - paid;
}

/** One side of the balance (`cost` or `feed_in`), to be said where the other one is unknown; else null. */
export function findSide(window: Bill, side: "cost" | "feed_in"): number | null {
  return computeBalance(window) === null ? window[side] : null;
}

/** An amount as the reader's locale writes it; a plain number where the sites file names no currency (null). */
export function formatMoney(value: number | null, currency: string | null): string {
  if (value === null) return texts.none;
  if (currency === null) return formatDigits(value, 2);
  const money = new Intl.NumberFormat(locale, { style: "currency", currency, signDisplay: "negative" });
  return money.format(value).replace("-", "\u2212");
}
