/** The energy of a span in tiles. */

import { describeFilled } from "./filled.ts";
import { formatAmount, formatShare } from "./format.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import { computeBalance, findSide, formatMoney } from "./money.ts";
import type { EnergyWindow } from "./schema.ts";
import type { Span } from "./spans.ts";

/** In pairs: two of a row on a phone, one above the other on a wide screen. */
const TILES: readonly [key: keyof typeof texts.energy.quantities, colour: string, text: (day: EnergyWindow, currency: string | null) => string][] = [
  ["production", "sun", (day) => formatAmount(day.production_wh, "Wh")],
  ["self_consumption", "sun", (day) => formatShare(day.self_consumption)],
  ["load", "house", (day) => formatAmount(day.load_wh, "Wh")],
  ["self_sufficiency", "house", (day) => formatShare(day.self_sufficiency)],
  ["imported", "grid", (day) => formatAmount(day.imported_wh, "Wh")],
  ["exported", "grid", (day) => formatAmount(day.exported_wh, "Wh")],
  ["charged", "battery", (day) => formatAmount(day.charged_wh, "Wh")],
  ["discharged", "battery", (day) => formatAmount(day.discharged_wh, "Wh")],
  ["savings", "money", (day, currency) => formatMoney(day.savings, currency)],
  ["balance", "money", (day, currency) => formatMoney(computeBalance(day), currency)],
  ["cost", "money", (day, currency) => formatMoney(findSide(day, "cost"), currency)],
  ["feed_in", "money", (day, currency) => formatMoney(findSide(day, "feed_in"), currency)],
];
/** What stands there also while it is unknown; without a meter of the house only the production does. */
const ALWAYS = new Set(["production", "load", "imported", "exported", "self_consumption", "self_sufficiency"]);
/** Below this share of the past day nothing is said of it without a word of warning. */
const WHOLE = 0.95;

export class TilesView {
  readonly element: HTMLElement;
  private readonly title = h("h2", { id: "energy-title" });
  private readonly note = h("p", { class: "soft note" });
  private readonly compared = h("p", { class: "soft compared" });
  private readonly entries = new Map<string, { tile: HTMLElement; value: HTMLElement }>();

  private readonly currency: string | null;

  /** @param currency Of amounts of money; null: nobody named it. */
  constructor(currency: string | null) {
    this.currency = currency;
    const help: Record<string, string> = texts.energy.help;
    const tiles = TILES.map(([key, colour]) => {
      const value = h("dd", {}, texts.none);
      const tile = h("div", { class: `tile ${colour}`, title: help[key] ?? null }, h("dt", {}, texts.energy.quantities[key]), value);
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
    setText(this.compared, known.map(({ than, said }) => `${than}: ${said}.`).join(" "));
  }

  /** Show a span; null: it is unknown. `known` is the share of its time that is. */
  show(day: EnergyWindow | null, span: Span, known: number, isHouseMeasured: boolean): void {
    setText(this.title, span.called === null ? texts.energy.title(span.name) : texts.energy.titles[span.called]);
    for (const [key, , text] of TILES) {
      const entry = this.entries.get(key)!;
      const shown = day === null ? texts.none : text(day, this.currency);
      setText(entry.value, shown);
      entry.tile.hidden = !(ALWAYS.has(key) && (isHouseMeasured || key === "production")) && (shown === texts.none || (key.endsWith("charged") && !hasBattery(day)));
    }
    setText(this.note, day === null ? texts.energy.unknown : describeKnown(day, known));
  }
}

/** How much of the time is known, if it is not all, and what the cloud says of the rest. */
function describeKnown(day: EnergyWindow, known: number): string {
  return [known < WHOLE ? texts.energy.known(formatShare(known)) : "", describeFilled(day)].filter((one) => one !== "").join(" ");
}

function hasBattery(day: EnergyWindow | null): boolean {
  return ((day?.charged_wh ?? 0) || (day?.discharged_wh ?? 0)) > 0;
}
