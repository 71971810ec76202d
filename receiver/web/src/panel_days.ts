/** The last days of one panel in small bars; those on which it was well behind its peers have another colour. */

import { h, setText } from "./dom.ts";
import { formatAmount, formatRatio } from "./format.ts";
import { isBehind, judgeDays } from "./weak.ts";
import type { PanelDay } from "./schema.ts";

export class PanelDaysView {
  readonly element: HTMLElement;
  private readonly words = h("p", { class: "soft" });
  private readonly bars = h("ol");

  constructor() {
    this.element = h("div", { class: "panel-days" }, h("h3", {}, "Last 30 days"), this.words, this.bars);
  }

  show(days: PanelDay[]): void {
    this.element.hidden = days.length === 0;
    const most = Math.max(1, ...days.map((day) => day.energy_wh ?? 0));
    this.bars.replaceChildren(...days.map((day) => {
      const words = `${nameDay(day)}: ${formatAmount(day.energy_wh, "Wh")}, ${formatRatio(day.ratio)} of its peers, peak ${formatAmount(day.peak_w, "W")}`;
      const bar = h("li", { title: words, class: isBehind(day) ? "behind" : null }, h("span", { class: "hidden" }, words));
      bar.style.setProperty("--height", `${((day.energy_wh ?? 0) / most) * 100}%`);
      return bar;
    }));
    const { ratio, count, since } = judgeDays(days);
    const weak = since === null ? "" : ` Behind them since ${nameDay(since)}.`;
    setText(this.words, count === 0 ? "Nobody knows yet how it compares." : `${formatRatio(ratio)} of its peers (median of the last days).${weak}`);
  }
}

function nameDay(day: PanelDay): string {
  const date = Date.parse(`${day.local_start.slice(0, 10)}T00:00Z`);
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" }).format(date);
}
