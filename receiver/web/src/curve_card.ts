/** One card over time: the curves of a day, or the bars of a longer span. */

import { BarsView } from "./bars.ts";
import { Chart, type Curves } from "./chart.ts";
import { h, setText } from "./dom.ts";
import { formatAmount, formatShare } from "./format.ts";
import { texts } from "./locale.ts";
import type { EnergyTable, EnergyWindow } from "./schema.ts";
import type { Span } from "./spans.ts";

const LINES = [
  { name: "production", colour: "sun", filled: true },
  { name: "load", colour: "house" },
  { name: "net", colour: "grid", dashed: true },
  { name: "charge", colour: "battery", percent: true },
] as const;

export class CurveCard {
  readonly element: HTMLElement;
  private readonly title = h("h2", { id: "curve-title" }, texts.time.today);
  private readonly curve: Chart;
  private readonly bars: BarsView;

  /**
   * @param currency Of amounts of money; null: nobody named it.
   * @param open Called with the first day of a bar that was chosen.
   */
  constructor(zone: string, currency: string | null, open: (date: string) => void) {
    this.curve = new Chart(LINES.map(({ name, ...line }) => ({ label: texts.curve.lines[name], ...line })), zone);
    this.bars = new BarsView(currency, open);
    this.bars.element.hidden = true;
    this.element = h(
      "section", { class: "card curve", "aria-labelledby": "curve-title" }, this.title, this.curve.element, this.bars.element,
    );
  }

  showDay(day: Span, curves: Curves, energy: EnergyWindow | null): void {
    this.choose(day, this.curve.element, this.bars.element);
    const atRest = day.isCurrent ? null : curves.values.map((values, i) => summariseLine(i, values, energy));
    this.curve.show(curves, day.start / 1000, day.stop / 1000, day.zone, summariseDay(day, energy), atRest);
  }

  showSpan(span: Span, table: EnergyTable): void {
    this.choose(span, this.bars.element, this.curve.element);
    this.bars.show(table, span);
  }

  destroy(): void {
    this.curve.destroy();
  }

  private choose(span: Span, shown: HTMLElement, other: HTMLElement): void {
    setText(this.title, span.name);
    shown.hidden = false;
    other.hidden = true;
  }
}

/** A day that is over: what a line came to, and its peak (of means of five minutes). */
function summariseLine(index: number, values: (number | null)[], energy: EnergyWindow | null): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return texts.none;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const say = texts.curve;
  if (LINES[index]!.name === "charge") return say.range(formatShare(low / 100), formatShare(high / 100));
  if (LINES[index]!.name === "net") { // two directions, each with its own peak
    const ways = [[energy?.imported_wh, say.bought, high], [energy?.exported_wh, say.sold, -low]] as const;
    const said = ways.filter(([wh]) => wh !== null && wh !== undefined)
      .map(([wh, write, peak]) => [write(formatAmount(wh, "Wh")), ...(peak > 0 ? [say.peak(formatAmount(peak, "W"))] : [])].join(", "));
    return said.length === 0 ? say.peak(formatAmount(high, "W")) : said.join(", ");
  }
  const total = [formatAmount(LINES[index]!.name === "production" ? energy?.production_wh : energy?.load_wh, "Wh")].filter((text) => text !== texts.none);
  return [...total, say.peak(formatAmount(high, "W"))].join(", ");
}

function summariseDay(day: Span, energy: EnergyWindow | null): string {
  if (energy === null) return texts.curve.nothing(day.name);
  const write = (wh: number | null): string => formatAmount(wh, "Wh");
  return texts.curve.describe(
    day.name, write(energy.production_wh), write(energy.load_wh), write(energy.imported_wh), write(energy.exported_wh),
  );
}
