/** Every phase of every meter in a table. */

import { formatAge, formatAmount, formatMeasurement } from "./format.ts";
import { h } from "./dom.ts";
import type { MeterEntry } from "./schema.ts";
import { DAY_S } from "./units.ts";

const NAMES: Record<string, string> = {
  "production": "Production",
  "pv3p": "Other production",
  "net-consumption": "Grid",
  "total-consumption": "Consumption",
  "storage": "Battery",
};
const ORDER = Object.keys(NAMES);
const COLUMNS: [string, (entry: MeterEntry) => string][] = [
  ["Power", (entry) => formatAmount(entry.power, "W")],
  ["Voltage", (entry) => formatMeasurement(entry.voltage, "V", 1)],
  ["Current", (entry) => formatMeasurement(entry.current, "A", 2)],
  ["Power factor", (entry) => formatMeasurement(entry.power_factor, "", 2)],
  ["Heard", (entry) => formatAge(entry.age_seconds)],
];


/** Whether a meter of the house is among those that speak; one that was silent for a day beside others is not there any more. */
export function hasHouseMeter(meters: MeterEntry[]): boolean {
  const newest = Math.min(...meters.map((entry) => entry.age_seconds));
  return meters.some((entry) => entry.meter.endsWith("-consumption") && entry.age_seconds - newest < DAY_S);
}

export class PhasesView {
  readonly element: HTMLElement;
  private readonly body = h("tbody");

  constructor() {
    const head = h("tr", {}, h("th", { scope: "col" }, "Meter"), ...COLUMNS.map(([name]) => h("th", { scope: "col" }, name)));
    this.element = h(
      "section", { class: "card phases", "aria-labelledby": "phases-title" },
      h("h2", { id: "phases-title" }, "Phases"),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "phases-title" },
        h("table", {}, h("thead", {}, head), this.body)),
    );
  }

  show(meters: MeterEntry[]): void {
    this.element.hidden = meters.length === 0;
    const sorted = [...meters].sort((one, other) => rank(one) - rank(other) || one.phase.localeCompare(other.phase));
    const rows = sorted.map((entry) => h(
      "tr", { class: entry.speaks ? null : "old" },
      h("th", { scope: "row" }, `${NAMES[entry.meter] ?? entry.meter} ${entry.phase.toUpperCase()}`),
      ...COLUMNS.map(([, text]) => h("td", {}, text(entry))),
    ));
    this.body.replaceChildren(...rows);
  }
}

function rank(entry: MeterEntry): number {
  const place = ORDER.indexOf(entry.meter);
  return place < 0 ? ORDER.length : place;
}
