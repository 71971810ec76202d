/** The top: whose system it is, and which day. */

import { h, setText } from "./dom.ts";
import type { GatewayEntry } from "./schema.ts";
import type { Day } from "./day.ts";

export interface HeaderActions {
  /** So many days on; Infinity: to today. */
  changeDay(days: number): void;
  choose(serial: string): void;
}

export class HeaderView {
  readonly element: HTMLElement;
  private readonly day = h("span", { class: "day", "aria-live": "polite" });
  private readonly before: HTMLButtonElement;
  private readonly after: HTMLButtonElement;
  private readonly today: HTMLButtonElement;
  private readonly light = h("span", { class: "light", "aria-hidden": "true" });
  private readonly state = h("span", { class: "state", role: "status" });

  constructor(gateways: GatewayEntry[], chosen: GatewayEntry, actions: HeaderActions) {
    this.before = makeArrow("‹", "The day before", () => actions.changeDay(-1));
    this.after = makeArrow("›", "The day after", () => actions.changeDay(1));
    this.today = h("button", { type: "button", class: "quiet", hidden: true }, "Today");
    this.today.addEventListener("click", () => actions.changeDay(Infinity));
    this.element = h(
      "header", { class: "top" },
      h("div", { class: "title" }, makeTitle(gateways, chosen, actions), h("p", { class: "live" }, this.light, this.state)),
      h("nav", { class: "days", "aria-label": "Day" }, this.today, this.before, this.day, this.after),
    );
  }

  showDay(day: Day): void {
    setText(this.day, day.name);
    this.after.disabled = day.isToday;
    this.today.hidden = day.isToday;
  }

  /** What the light says: live, without live values, or without the receiver. */
  showState(state: "live" | "waiting" | "lost"): void {
    this.light.className = `light ${state}`;
    setText(this.state, { live: "Live", waiting: "No live values", lost: "No connection, trying again" }[state]);
  }
}

function makeTitle(gateways: GatewayEntry[], chosen: GatewayEntry, actions: HeaderActions): HTMLElement {
  if (gateways.length < 2) return h("h1", {}, nameSystem(chosen));
  const select = h("select", { "aria-label": "System" }, ...gateways.map((entry) =>
    h("option", { value: entry.gateway, selected: entry.gateway === chosen.gateway }, nameSystem(entry))));
  select.addEventListener("change", () => actions.choose(select.value));
  return h("h1", {}, select);
}

/** What people call a system. */
export function nameSystem(entry: GatewayEntry): string {
  return entry.name ?? `Gateway ${entry.gateway}`;
}

function makeArrow(text: string, label: string, act: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "arrow", "aria-label": label }, text);
  button.addEventListener("click", act);
  return button;
}
