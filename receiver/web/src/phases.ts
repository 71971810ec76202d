/** Every phase of every meter in a table. */

import { formatAge, formatAmount, formatMeasurement } from "./format.ts";
import { h } from "./dom.ts";
import { texts } from "./locale.ts";
import type { MeterEntry } from "./schema.ts";
import { DAY_S } from "./units.ts";

const ORDER = ["production", "pv3p", "net-consumption", "total-consumption", "storage"];
const COLUMNS: [keyof typeof texts.phases, (entry: MeterEntry) => string][] = [
  ["power", (entry) => formatAmount(entry.power, "W")],
  ["voltage", (entry) => formatMeasurement(entry.voltage, "V", 1)],
  ["current", (entry) => formatMeasurement(entry.current, "A", 2)],
  ["factor", (entry) => formatMeasurement(entry.power_factor, "", 2)],
  ["heard", (entry) => formatAge(entry.age_seconds)],
];

/** Whether a meter of the house is among those that speak; one that was silent for a day beside others is not there any more. */
export function hasHouseMeter(meters: MeterEntry[]): boolean {
  const newest = Math.min(...meters.map((entry) => entry.age_seconds));
  return meters.some((entry) => entry.meter.endsWith("-consumption") && entry.age_seconds - newest < DAY_S);
}

export class PhasesView {
  readonly element: HTMLElement;
  // the roles stand here because a phone shows the table as a grid, which has none by itself
  private readonly body = h("tbody", { role: "rowgroup" });

  constructor() {
    const words = [texts.phases.meter, ...COLUMNS.map(([name]) => texts.phases[name])];
    const head = h("tr", { role: "row" }, ...words.map((word) => h("th", { scope: "col", role: "columnheader" }, word)));
    this.element = h(
      "section", { class: "card phases", "aria-labelledby": "phases-title" },
      h("h2", { id: "phases-title" }, texts.phases.title),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "phases-title" },
        h("table", { role: "table" }, h("thead", { role: "rowgroup" }, head), this.body)),
    );
  }

  show(meters: MeterEntry[]): void {
    this.element.hidden = meters.length === 0;
    const sorted = [...meters].sort((one, other) => rank(one) - rank(other) || one.phase.localeCompare(other.phase));
    const rows = sorted.map((entry) => h(
      "tr", { class: entry.speaks ? null : "old", role: "row" },
      h("th", { scope: "row", role: "rowheader" }, `${nameMeter(entry.meter)} ${entry.phase.toUpperCase()}`),
      ...COLUMNS.map(([, text]) => h("td", { role: "cell" }, text(entry))),
    ));
    this.body.replaceChildren(...rows);
  }
}

function nameMeter(meter: string): string {
  const names: Record<string, string> = texts.shared.meters;
  return names[meter] ?? meter;
}

function rank(entry: MeterEntry): number {
  const place = ORDER.indexOf(entry.meter);
  return place < 0 ? ORDER.length : place;
}
