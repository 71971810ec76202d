/** Which span of time is shown, and the buttons that choose another one. */

import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { Span, SpanKind } from "./spans.ts";

export interface TimesActions {
  walk(direction: 1 | -1): void;
  choose(kind: SpanKind): void;
  /** null: today. */
  goTo(date: string | null): void;
}

export class TimesView {
  readonly element: HTMLElement;
  private readonly day = h("span", { class: "day", "aria-live": "polite" });
  private readonly before: HTMLButtonElement;
  private readonly after: HTMLButtonElement;
  private readonly today: HTMLButtonElement;
  private readonly picker = h("input", { type: "date", class: "picker", "aria-label": texts.header.date });
  private readonly kinds = new Map<SpanKind, HTMLButtonElement>();

  /** @param kinds The periods that there are. */
  constructor(kinds: readonly SpanKind[], actions: TimesActions) {
    this.before = makeArrow("‹", () => actions.walk(-1));
    this.after = makeArrow("›", () => actions.walk(1));
    this.today = h("button", { type: "button", class: "quiet", hidden: true }, texts.header.today);
    this.today.addEventListener("click", () => actions.goTo(null));
    this.picker.addEventListener("change", () => {
      if (this.picker.value && this.picker.validity.valid) actions.goTo(this.picker.value);
    });
    for (const kind of kinds) {
      const button = h("button", { type: "button", "aria-pressed": "false" }, texts.header.kinds[kind]);
      button.addEventListener("click", () => actions.choose(kind));
      this.kinds.set(kind, button);
    }
    this.element = h("nav", { class: "times", "aria-label": texts.header.time },
      h("div", { class: "spans", role: "group", "aria-label": texts.header.period }, ...this.kinds.values()),
      h("div", { class: "days" }, this.before, this.day, this.after, this.picker, this.today));
  }

  /** @param first The first day with readings, before which nobody needs to go; `today` likewise. */
  show(span: Span, first: string | null, today: string): void {
    setText(this.day, span.name);
    this.before.setAttribute("aria-label", texts.header.before[span.kind]);
    this.after.setAttribute("aria-label", texts.header.after[span.kind]);
    this.before.disabled = span.kind === "all" || (first !== null && span.date <= first);
    this.after.disabled = span.isCurrent;
    this.today.hidden = span.isCurrent;
    this.picker.hidden = span.kind === "all";
    this.picker.min = first ?? "";
    this.picker.max = today;
    if (document.activeElement !== this.picker) this.picker.value = span.date;
    for (const [kind, button] of this.kinds) button.setAttribute("aria-pressed", String(kind === span.kind));
  }
}

function makeArrow(text: string, act: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "arrow" }, text);
  button.addEventListener("click", act);
  return button;
}
