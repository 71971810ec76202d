/** The top: whose system it is, and which span of time. */

import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { GatewayEntry } from "./schema.ts";
import { KINDS, type Span, type SpanKind } from "./spans.ts";

export interface HeaderActions {
  walk(direction: 1 | -1): void;
  chooseSpan(kind: SpanKind): void;
  /** null: today. */
  goTo(date: string | null): void;
  /** null: the list of all systems. */
  choose(serial: string | null): void;
}

export class HeaderView {
  readonly element: HTMLElement;
  private readonly day = h("span", { class: "day", "aria-live": "polite" });
  private readonly before: HTMLButtonElement;
  private readonly after: HTMLButtonElement;
  private readonly today: HTMLButtonElement;
  private readonly picker = h("input", { type: "date", class: "picker", "aria-label": texts.header.date });
  private readonly kinds = new Map<SpanKind, HTMLButtonElement>();
  private readonly light = h("span", { class: "light", "aria-hidden": "true" });
  private readonly state = h("span", { class: "state", role: "status" });

  constructor(gateways: GatewayEntry[], chosen: GatewayEntry, actions: HeaderActions) {
    this.before = makeArrow("‹", () => actions.walk(-1));
    this.after = makeArrow("›", () => actions.walk(1));
    this.today = h("button", { type: "button", class: "quiet", hidden: true }, texts.header.today);
    this.today.addEventListener("click", () => actions.goTo(null));
    this.picker.addEventListener("change", () => {
      if (this.picker.value && this.picker.validity.valid) actions.goTo(this.picker.value);
    });
    for (const kind of KINDS) {
      const button = h("button", { type: "button", "aria-pressed": "false" }, texts.header.kinds[kind]);
      button.addEventListener("click", () => actions.chooseSpan(kind));
      this.kinds.set(kind, button);
    }
    this.element = h(
      "header", { class: "top" },
      h("div", { class: "title" }, makeTitle(gateways, chosen, actions), h("p", { class: "live" }, this.light, this.state)),
      h("nav", { class: "times", "aria-label": texts.header.time },
        h("div", { class: "spans", role: "group", "aria-label": texts.header.period }, ...this.kinds.values()),
        h("div", { class: "days" }, this.before, this.day, this.after, this.picker, this.today)),
    );
  }

  /** @param first The first day with readings, before which nobody needs to go; `today` likewise. */
  showSpan(span: Span, first: string | null, today: string): void {
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

  /** What the light says: live, without live values (or how old the last ones are), or without the receiver. */
  showState(state: "live" | "waiting" | "lost", last: string | null = null): void {
    this.light.className = `light ${state}`;
    setText(this.state, { live: texts.header.live, waiting: last ?? texts.header.waiting, lost: texts.shared.noConnection }[state]);
  }
}

function makeTitle(gateways: GatewayEntry[], chosen: GatewayEntry, actions: HeaderActions): HTMLElement {
  if (gateways.length < 2) return h("h1", {}, nameSystem(chosen));
  const back = h("button", { type: "button", class: "quiet back" }, texts.header.allSystems);
  back.addEventListener("click", () => actions.choose(null));
  return h("div", { class: "titled" }, back, h("h1", {}, nameSystem(chosen)));
}

/** What people call a system. */
export function nameSystem(entry: GatewayEntry): string {
  return entry.name ?? texts.shared.nameGateway(entry.gateway);
}

function makeArrow(text: string, act: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "arrow" }, text);
  button.addEventListener("click", act);
  return button;
}
