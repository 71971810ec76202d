/** What the cloud has filled in of a span, in a sentence. Pure. */

import { formatAmount } from "./format.ts";
import { texts } from "./locale.ts";
import type { EnergyWindow } from "./schema.ts";

const QUANTITIES = ["production", "load", "imported", "exported", "charged", "discharged"] as const;

/** "From the cloud: Produced 4.21 kWh."; "" where nothing is. */
export function describeFilled(window: EnergyWindow): string {
  const filled = QUANTITIES.map((quantity) => ({ name: texts.energy.quantities[quantity], wh: window[`${quantity}_filled_wh`] ?? 0 }));
  const parts = filled.filter(({ wh }) => wh > 0).map(({ name, wh }) => `${name} ${formatAmount(wh, "Wh")}`);
  return parts.length > 0 ? texts.energy.filled(parts.join(", ")) : "";
}

/** Whether something is filled in, be it nothing by night. */
export function isFilled(window: EnergyWindow): boolean {
  return QUANTITIES.some((quantity) => typeof window[`${quantity}_filled_wh`] === "number");
}
