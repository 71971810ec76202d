/** Amounts of the tariffs' currency, which nobody named. Pure. */

import { formatDigits } from "./format.ts";
import { texts } from "./locale.ts";

/** What came in less what went out; null where neither is known. */
export function computeBalance(energy: { cost: number | null; feed_in: number | null }): number | null {
  return energy.cost === null && energy.feed_in === null ? null : (energy.feed_in ?? 0) - (energy.cost ?? 0);
}

export function formatMoney(value: number | null): string {
  return value === null ? texts.none : formatDigits(value, 2);
}
