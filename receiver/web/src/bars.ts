/** The energy of a span in bars, one for each of its windows, with a legend that follows pointer and focus. */

import { formatAmount, formatShare, formatTicks } from "./format.ts";
import { h, setText } from "./dom.ts";
import { formatDate } from "./days.ts";
import { texts } from "./locale.ts";
import { computeBalance, findSide, formatMoney } from "./money.ts";
import type { EnergyTable, EnergyWindow } from "./schema.ts";
import type { Span } from "./spans.ts";
import { chooseScale, splitWindow, sum, type Piece } from "./stacks.ts";

const ENTRIES: readonly [quantity: keyof typeof texts.energy.quantities, colour: string, text: (window: EnergyWindow, currency: string | null) => string][] = [
  ["production", "sun", (window) => formatAmount(window.production_wh, "Wh")],
  ["exported", "sold", (window) => formatAmount(window.exported_wh, "Wh")],
  ["imported", "grid", (window) => formatAmount(window.imported_wh, "Wh")],
  ["load", "house", (window) => formatAmount(window.load_wh, "Wh")],
  ["charged", "battery", (window) => formatAmount(window.charged_wh, "Wh")],
  ["discharged", "battery", (window) => formatAmount(window.discharged_wh, "Wh")],
  ["self_consumption", "none", (window) => formatShare(window.self_consumption)],
  ["self_sufficiency", "none", (window) => formatShare(window.self_sufficiency)],
  ["savings", "none", (window, currency) => formatMoney(window.savings, currency)],
  ["balance", "none", (window, currency) => formatMoney(computeBalance(window), currency)],
  ["cost", "none", (window, currency) => formatMoney(findSide(window, "cost"), currency)],
  ["feed_in", "none", (window, currency) => formatMoney(findSide(window, "feed_in"), currency)],
];
const KEYS = ["ArrowLeft", "ArrowRight"];

export class BarsView {
  readonly element: HTMLElement;
  private readonly field = h("div", { class: "bars", role: "group" });
  private readonly scale = h("div", { class: "bar-scale", "aria-hidden": "true" });
  private readonly at = h("span", { class: "at" });
  private readonly entries = ENTRIES.map(([quantity, colour, text]) => {
    const value = h("span", { class: "value" });
    return { text, value, key: h("span", { class: `key ${colour}` }, texts.energy.quantities[quantity], " ", value) };
  });
  private readonly open: (date: string) => void;
  private readonly currency: string | null;
  private table: EnergyTable | null = null;
  private span: Span | null = null;
  private drawn = "";

  /**
   * @param currency Of amounts of money; null: nobody named it.
   * @param open Called with the first day of the bar that was chosen.
   */
  constructor(currency: string | null, open: (date: string) => void) {
    this.open = open;
    this.currency = currency;
    const legend = h("p", { class: "legend", "aria-hidden": "true" }, ...this.entries.map((entry) => entry.key), this.at);
    this.element = h("div", { class: "bars-view" }, legend, h("div", { class: "bar-plot" }, this.scale, this.field));
    this.field.addEventListener("pointerover", (event) => this.readAt(event.target));
    this.field.addEventListener("focusin", (event) => this.readAt(event.target));
    this.field.addEventListener("pointerleave", () => this.read(null));
    this.field.addEventListener("focusout", () => this.read(null));
    this.field.addEventListener("keydown", (event) => this.move(event));
  }

  /** Show the windows of a span. */
  show(table: EnergyTable, span: Span): void {
    const key = JSON.stringify([span.kind, span.date, table.windows]);
    this.table = table;
    this.span = span;
    if (key !== this.drawn) this.draw(table, span);
    this.drawn = key;
    for (const entry of this.entries) entry.key.hidden = entry.text(table.total, this.currency) === texts.none;
    this.read(null);
  }

  private draw(table: EnergyTable, span: Span): void {
    const focused = [...this.field.children].indexOf(document.activeElement!);
    const stacks = table.windows.map(splitWindow);
    const { top, bottom, step } = chooseScale(stacks);
    this.element.style.setProperty("--above", String(top / (top + bottom)));
    const ticks = [];
    for (let wh = -Math.floor(bottom / step) * step; wh <= top; wh += step) ticks.push(wh);
    const words = formatTicks(ticks.map(Math.abs), "Wh");
    this.scale.replaceChildren(...ticks.map((wh, i) => {
      const tick = h("span", { class: wh === 0 ? "zero" : "" }, words[i]!);
      tick.style.setProperty("--at", String((top - wh) / (top + bottom)));
      return tick;
    }));
    this.field.setAttribute("aria-label", texts.energy.bars(span.name));
    this.field.replaceChildren(...table.windows.map((window, i) => {
      const { above, below } = stacks[i]!;
      const label = nameWindow(window, span);
      const bar = h(
        "button", { type: "button", class: "bar", tabindex: "-1", "aria-label": describeWindow(window, span, this.currency) },
        h("span", { class: "above" }, ...above.map((piece) => makePiece(piece, top))),
        h("span", { class: "below" }, ...below.map((piece) => makePiece(piece, bottom))),
        h("span", { class: `label${table.windows.length > 12 && i % 5 !== 0 ? " spare" : ""}` }, label),
      );
      if (sum(above) + sum(below) === 0) bar.classList.add("empty");
      bar.addEventListener("click", () => this.open(window.local_start.slice(0, 10)));
      return bar;
    }));
    const first = this.field.children[Math.max(0, focused)] as HTMLElement | undefined;
    if (first) first.tabIndex = 0;
    if (focused >= 0) first?.focus();
  }

  /** One tab stop for all bars, as for the panels. */
  private move(event: KeyboardEvent): void {
    if (!KEYS.includes(event.key) || !(event.target instanceof HTMLElement)) return;
    event.preventDefault();
    event.stopPropagation(); // the arrow keys of the page change the span
    const bar = event.target.closest(".bar");
    const to = event.key === "ArrowLeft" ? bar?.previousElementSibling : bar?.nextElementSibling;
    if (!(bar instanceof HTMLElement) || !(to instanceof HTMLElement)) return;
    bar.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }

  private readAt(target: EventTarget | null): void {
    const bar = target instanceof Element ? target.closest(".bar") : null;
    if (bar !== null) this.read([...this.field.children].indexOf(bar));
  }

  /** The legend's values: those of a bar, else of all together. */
  private read(index: number | null): void {
    const { table, span } = this;
    if (table === null || span === null) return;
    const window = index === null ? table.total : table.windows[index];
    if (window === undefined) return;
    for (const { text, value } of this.entries) setText(value, text(window, this.currency));
    setText(this.at, index === null ? "" : nameWindow(window, span, "long"));
  }
}

function makePiece(piece: Piece, most: number): HTMLElement {
  const element = h("span", { class: `piece ${piece.part}` });
  element.style.setProperty("--height", `${(piece.wh / most) * 100}%`);
  return element;
}

function nameWindow(window: EnergyWindow, span: Span, length: "short" | "long" = "short"): string {
  const write = (options: Intl.DateTimeFormatOptions): string => formatDate(window.local_start, options);
  if (span.every === "1y") return write({ year: "numeric" });
  if (span.every === "1mo") return write(length === "long" ? { month: "long", year: "numeric" } : { month: "short" });
  if (length === "long") return write({ weekday: "short", day: "numeric", month: "short" });
  return write(span.kind === "week" ? { weekday: "short" } : { day: "numeric" });
}

function describeWindow(window: EnergyWindow, span: Span, currency: string | null): string {
  const said = ENTRIES.map(([quantity, , text]) => [texts.energy.quantities[quantity], text(window, currency)]).filter(([, value]) => value !== texts.none);
  const name = nameWindow(window, span, "long");
  return said.length === 0 ? texts.energy.nothing(name) : `${name}: ${said.map(([label, value]) => `${label} ${value}`).join(", ")}`;
}
