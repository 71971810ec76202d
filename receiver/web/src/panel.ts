/** One panel's day compared with its peers, in a dialog. */

import { formatAge, formatAmount, formatMeasurement, formatShare } from "./format.ts";
import { Chart } from "./chart.ts";
import { h, setText } from "./dom.ts";
import { namePanel } from "./layout.ts";
import { readPanelCurve, type PanelCurve } from "./queries.ts";
import type { InverterEntry } from "./schema.ts";
import type { Span } from "./spans.ts";

const LINES = [
  { label: "This panel", colour: "sun", filled: true },
  { label: "Its peers (median)", colour: "soft", dashed: true },
];

export class PanelDialog {
  readonly element: HTMLDialogElement;
  private readonly title = h("h2", { id: "panel-title" });
  private readonly subtitle = h("p", { class: "soft" });
  private readonly facts = h("dl", { class: "facts" });
  private readonly said = h("p", { class: "note", role: "status" });
  private readonly chart = new Chart(LINES, "UTC");
  private asked = 0;

  constructor() {
    const close = h("button", { type: "button", class: "quiet", "aria-label": "Close" }, "✕");
    close.addEventListener("click", () => this.element.close());
    this.element = h(
      "dialog", { class: "card panel-dialog", "aria-labelledby": "panel-title" },
      h("div", { class: "head" }, h("div", {}, this.title, this.subtitle), close),
      this.chart.element, this.said, this.facts,
    );
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close(); // beside the dialog
    });
  }

  /** Open with the day of a panel. Focus goes back to where it was when the dialog closes. */
  async open(serial: string, panel: InverterEntry, day: Span): Promise<void> {
    const asked = ++this.asked;
    setText(this.title, namePanel(panel));
    setText(this.subtitle, [day.name, panel.array, panel.name ? panel.inverter : null].filter(Boolean).join(" · "));
    setText(this.said, "Loading …");
    this.describe(panel, null);
    if (!this.element.open) this.element.showModal();
    try {
      const shown = await readPanelCurve(serial, panel.inverter, day);
      if (asked !== this.asked) return;
      const words = `${namePanel(panel)}, ${day.name}: ${formatAmount(shown.energy, "Wh")}, its peers ${formatAmount(shown.peersEnergy, "Wh")}.`;
      this.chart.show({ times: shown.times, values: [shown.power, shown.peers] }, day.start / 1000, day.stop / 1000, day.zone, words);
      setText(this.said, shown.times.length ? "" : "Nothing was measured that day.");
      this.describe(panel, shown);
    } catch {
      if (asked === this.asked) setText(this.said, "That day could not be read. Close and try again.");
    }
  }

  destroy(): void {
    this.chart.destroy();
    this.element.remove();
  }

  private describe(panel: InverterEntry, day: PanelCurve | null): void {
    const ratio = day?.energy && day.peersEnergy ? day.energy / day.peersEnergy : null;
    const facts: [string, string][] = [
      ["Energy that day", formatAmount(day?.energy, "Wh")],
      ["Its peers", formatAmount(day?.peersEnergy, "Wh")],
      ["Against its peers", ratio === null ? "–" : ratio > 1 ? formatMeasurement(ratio * 100, "%", 0) : formatShare(ratio)],
      ["Last power", formatAmount(panel.power, "W")],
      ["Heard", formatAge(panel.age_seconds)],
      ["Temperature", formatMeasurement(panel.temperature, "°C", 0)],
      ["Panel voltage", formatMeasurement(panel.dc_voltage, "V", 1)],
      ["Grid voltage", formatMeasurement(panel.ac_voltage, "V", 1)],
    ];
    this.facts.replaceChildren(
      ...facts.filter(([, value], i) => i < 5 || value !== "–")
        .map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
    );
  }
}
