/** The top: whose system it is, how fresh it is, and which span of time. */

import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { GatewayEntry } from "./schema.ts";
import type { TimesView } from "./times.ts";

export class HeaderView {
  readonly element: HTMLElement;
  private readonly light = h("span", { class: "light", "aria-hidden": "true" });
  private readonly state = h("span", { class: "state", role: "status" });

  /** @param choose Called with null for the list of all systems. */
  constructor(gateways: GatewayEntry[], chosen: GatewayEntry, times: TimesView, choose: (serial: string | null) => void) {
    this.element = h(
      "header", { class: "top" },
      h("div", { class: "title" }, makeTitle(gateways, chosen, choose), h("p", { class: "live" }, this.light, this.state)),
      times.element,
    );
  }

  /** What the light says: live, without live values (or how old the last ones are), or what failed. */
  showState(state: "live" | "waiting" | "lost", last: string | null = null, failure: string = texts.shared.noConnection): void {
    this.light.className = `light ${state}`;
    setText(this.state, { live: texts.header.live, waiting: last ?? texts.header.waiting, lost: failure }[state]);
  }
}

function makeTitle(gateways: GatewayEntry[], chosen: GatewayEntry, choose: (serial: string | null) => void): HTMLElement {
  if (gateways.length < 2) return h("h1", {}, nameSystem(chosen));
  const back = h("button", { type: "button", class: "quiet back" }, texts.header.allSystems);
  back.addEventListener("click", () => choose(null));
  return h("div", { class: "titled" }, back, h("h1", {}, nameSystem(chosen)));
}

/** What people call a system. */
export function nameSystem(entry: GatewayEntry): string {
  return entry.name ?? texts.shared.nameGateway(entry.gateway);
}
