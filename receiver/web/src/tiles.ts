/** The energy of a span in tiles. */

import { formatAmount, formatShare } from "./format.ts";
import { h, setText } from "./dom.ts";
import { computeBalance, formatMoney } from "./money.ts";
import type { EnergyWindow } from "./schema.ts";

/** In pairs: two of a row on a phone, one above the other on a wide screen. */
const TILES: readonly [key: string, label: string, colour: string, text: (day: EnergyWindow) => string][] = [
  ["production", "Produced", "sun", (day) => formatAmount(day.production_wh, "Wh")],
  ["self_consumption", "Self-consumption", "sun", (day) => formatShare(day.self_consumption)],
  ["load", "Used", "house", (day) => formatAmount(day.load_wh, "Wh")],
  ["self_sufficiency", "Self-sufficiency", "house", (day) => formatShare(day.self_sufficiency)],
  ["imported", "Bought", "grid", (day) => formatAmount(day.imported_wh, "Wh")],
  ["exported", "Sold", "grid", (day) => formatAmount(day.exported_wh, "Wh")],
  ["charged", "Charged", "battery", (day) => formatAmount(day.charged_wh, "Wh")],
  ["discharged", "Discharged", "battery", (day) => formatAmount(day.discharged_wh, "Wh")],
  ["savings", "Saved", "money", (day) => formatMoney(day.savings)],
  ["balance", "Earned minus paid", "money", (day) => formatMoney(computeBalance(day))],
];
/** What stands there also while it is unknown; without a meter of the house only the production does. */
const ALWAYS = new Set(["production", "load", "imported", "exported", "self_consumption", "self_sufficiency"]);
const HELP: Record<string, string> = {
  self_consumption: "Share of the production that was used at home",
  self_sufficiency: "Share of the use that was not bought",
};
/** Below this share of the past day nothing is said of it without a word of warning. */
const WHOLE = 0.95;

export class TilesView {
  readonly element: HTMLElement;
  private readonly title = h("h2", { id: "energy-title" }, "Energy");
  private readonly note = h("p", { class: "soft note" });
  private readonly compared = h("p", { class: "soft compared" });
  private readonly entries = new Map<string, { tile: HTMLElement; value: HTMLElement }>();

  constructor() {
    const tiles = TILES.map(([key, label, colour]) => {
      const value = h("dd", {}, "–");
      const tile = h("div", { class: `tile ${colour}`, title: HELP[key] ?? null }, h("dt", {}, label), value);
      this.entries.set(key, { tile, value });
      return tile;
    });
    this.element = h(
      "section", { class: "card energy", "aria-labelledby": "energy-title" },
      this.title, h("dl", { class: "tiles" }, ...tiles), this.compared, this.note,
    );
  }

  /** Say how the span compares with others; what is not known is not said. */
  compare(found: { than: string; said: string }[]): void {
    const known = found.filter(({ said }) => said !== "");
    setText(this.compared, known.map(({ than, said }) => `Beside ${than}: ${said}.`).join(" "));
  }

  /** Show a span; null: it is unknown. `known` is the share of its time that is. */
  show(day: EnergyWindow | null, name: string, known: number, isHouseMeasured: boolean): void {
    setText(this.title, `Energy ${/^(Today|Yesterday|This week|All years)$/.test(name) ? name.toLowerCase() : `of ${name}`}`);
    for (const [key, , , text] of TILES) {
      const entry = this.entries.get(key)!;
      const shown = day === null ? "–" : text(day);
      setText(entry.value, shown);
      entry.tile.hidden = !(ALWAYS.has(key) && (isHouseMeasured || key === "production")) && (shown === "–" || (key.endsWith("charged") && !hasBattery(day)));
    }
    setText(this.note, day === null ? "No energy is known for this time." : known < WHOLE ? `Known for ${formatShare(known)} of the time.` : "");
  }
}

function hasBattery(day: EnergyWindow | null): boolean {
  return ((day?.charged_wh ?? 0) || (day?.discharged_wh ?? 0)) > 0;
}
