/** The last days of one panel in small bars; those on which it was well behind its peers have another colour. */

import { formatDate } from "./days.ts";
import { h, setText } from "./dom.ts";
import { formatAmount, formatRatio } from "./format.ts";
import { texts } from "./locale.ts";
import { isBehind, judgeDays } from "./weak.ts";
import type { PanelDay } from "./schema.ts";

export class PanelDaysView {
  readonly element: HTMLElement;
  private readonly words = h("p", { class: "soft" });
  private readonly bars = h("ol");

  constructor() {
    this.element = h("div", { class: "panel-days" }, h("h3", {}, texts.panel.days), this.words, this.bars);
  }

  show(days: PanelDay[]): void {
    this.element.hidden = days.length === 0;
    const most = Math.max(1, ...days.map((day) => day.energy_wh ?? 0));
    this.bars.replaceChildren(...days.map((day) => {
      const words = texts.panel.describeDay(
        formatDate(day.local_start), formatAmount(day.energy_wh, "Wh"), formatRatio(day.ratio), formatAmount(day.peak_w, "W"),
      );
      const bar = h("li", { title: words, class: isBehind(day) ? "behind" : null }, h("span", { class: "hidden" }, words));
      bar.style.setProperty("--height", `${((day.energy_wh ?? 0) / most) * 100}%`);
      return bar;
    }));
    const { ratio, count, since } = judgeDays(days);
    const weak = since === null ? "" : texts.panel.behind(formatDate(since.local_start));
    setText(this.words, count === 0 ? texts.panel.unjudged : texts.panel.judged(formatRatio(ratio)) + weak);
  }
}
