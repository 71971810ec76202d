/** One panel's day and its last days, compared with its peers, in a dialog. */

import { get, nameGatewayPath } from "./api.ts";
import { formatAge, formatAmount, formatDuration, formatMeasurement, formatRatio } from "./format.ts";
import { Chart, type CurveLine, type Curves } from "./chart.ts";
import { h, setText } from "./dom.ts";
import { namePanel } from "./layout.ts";
import { texts } from "./locale.ts";
import { PanelDaysView } from "./panel_days.ts";
import { readPanelClimate, readPanelCurve, type PanelCurve } from "./queries.ts";
import type { InverterDetail, InverterEntry, PanelDay } from "./schema.ts";
import type { Span } from "./spans.ts";

const listLines = (): CurveLine[] => [
  { label: texts.panel.lines.panel, colour: "sun", filled: true },
  { label: texts.panel.lines.peers, colour: "soft", dashed: true },
];

const listClimate = (): CurveLine[] => [
  { label: texts.panel.lines.temperature, colour: "bad", unit: "°C" },
  { label: texts.panel.lines.voltage, colour: "house", unit: "V" },
];

export class PanelDialog {
  readonly element: HTMLDialogElement;
  private readonly title = h("h2", { id: "panel-title" });
  private readonly subtitle = h("p", { class: "soft" });
  private readonly facts = h("dl", { class: "facts" });
  private readonly said = h("p", { class: "note", role: "status" });
  private readonly chart = new Chart(listLines(), "UTC");
  private readonly climate = new Chart(listClimate(), "UTC");
  private readonly days = new PanelDaysView();
  private asked = 0;

  constructor() {
    const close = h("button", { type: "button", class: "quiet", "aria-label": texts.shared.close }, "✕");
    close.addEventListener("click", () => this.element.close());
    this.element = h(
      "dialog", { class: "card panel-dialog", "aria-labelledby": "panel-title" },
      h("div", { class: "head" }, h("div", {}, this.title, this.subtitle), close),
      this.chart.element, this.said, this.facts, this.days.element, this.climate.element,
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
    setText(this.said, texts.panel.loading);
    this.describe(panel, null, undefined);
    this.days.element.hidden = this.climate.element.hidden = true;
    if (!this.element.open) this.element.showModal();
    try {
      const [shown, detail, climate] = await Promise.all([
        readPanelCurve(serial, panel.inverter, day),
        get<InverterDetail>(nameGatewayPath(serial, `/inverters/${encodeURIComponent(panel.inverter)}`)),
        readPanelClimate(serial, panel.inverter, day),
      ]);
      if (asked !== this.asked) return;
      this.show(panel, day, shown, detail, climate);
    } catch {
      if (asked === this.asked) setText(this.said, texts.panel.failed);
    }
  }

  private show(panel: InverterEntry, day: Span, shown: PanelCurve, detail: InverterDetail, climate: Curves): void {
    // without an array the quarter hours know the whole site alone, which faces another way: the day has its own group
    const peers = panel.array ? shown.peers : shown.peers.map(() => null);
    const ofDay = detail.days.find((one) => one.local_start.startsWith(day.date));
    const peersEnergy = panel.array ? shown.peersEnergy : ofDay?.peers_wh;
    const words = texts.panel.describe(namePanel(panel), day.name, formatAmount(shown.energy, "Wh"), formatAmount(peersEnergy, "Wh"));
    this.chart.show({ times: shown.times, values: [shown.power, peers] }, day.start / 1000, day.stop / 1000, day.zone, words);
    setText(this.said, shown.times.length ? "" : texts.panel.nothing);
    this.describe(panel, shown, ofDay);
    this.days.show(detail.days);
    this.climate.element.hidden = !climate.values.some((values) => values.some((value) => value !== null));
    if (!this.climate.element.hidden) {
      this.climate.show(climate, day.start / 1000, day.stop / 1000, day.zone, texts.panel.climate(day.name));
    }
  }

  destroy(): void {
    this.chart.destroy();
    this.climate.destroy();
    this.element.remove();
  }

  private describe(panel: InverterEntry, day: PanelCurve | null, known: PanelDay | undefined): void {
    const compared = day?.energy && day.peersEnergy ? day.energy / day.peersEnergy : null;
    const ratio = panel.array ? compared : known?.ratio ?? null;
    const say = texts.panel.facts;
    const facts: [string, string][] = [
      [say.energy, formatAmount(day?.energy, "Wh")],
      [say.peers, formatAmount(panel.array ? day?.peersEnergy : known?.peers_wh, "Wh")],
      [say.ratio, formatRatio(ratio)],
      [say.power, formatAmount(panel.power, "W")],
      [say.heard, formatAge(panel.age_seconds)],
      [say.peak, formatAmount(known?.peak_w, "W")],
      [say.clipping, known?.clipping_minutes ? formatDuration(known.clipping_minutes * 60) : texts.none],
      [say.temperature, formatMeasurement(panel.temperature, "°C", 0)],
      [say.voltage, formatMeasurement(panel.dc_voltage, "V", 1)],
      [say.gridVoltage, formatMeasurement(panel.ac_voltage, "V", 1)],
    ];
    this.facts.replaceChildren(
      ...facts.filter(([, value], i) => i < 5 || value !== texts.none)
        .map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
    );
  }
}
