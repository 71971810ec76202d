/** How old everything is, who reads, and the way out. */

import { formatAge, formatDuration, formatMeasurement } from "./format.ts";
import { h, setText } from "./dom.ts";
import type { GatewayStatus } from "./schema.ts";

export class AboutView {
  readonly element: HTMLElement;
  private readonly facts = h("dl", { class: "facts" });

  constructor(signOut: () => void) {
    const button = h("button", { type: "button", class: "quiet" }, "Sign out");
    button.addEventListener("click", signOut);
    this.element = h(
      "section", { class: "card about", "aria-labelledby": "about-title" },
      h("div", { class: "head" }, h("h2", { id: "about-title" }, "Gateway"), button), this.facts,
    );
  }

  /** Show the status, and how long (seconds) the reader's own token is still good. */
  show(status: GatewayStatus, sessionLeft: number): void {
    const fields = status.status;
    const expires = fields["token_expires_in"];
    const facts: [string, string][] = [
      ["Serial", status.gateway],
      ["Firmware", String(fields["firmware"] ?? "–")],
      ["Newest reading", formatAge(status.age_seconds)],
      ["Scraper heard", formatAge(status.status_age_seconds)],
      ["Delivered after", status.delivery_lag_seconds === null ? "–" : formatDuration(status.delivery_lag_seconds)],
      ["Meter stream", fields["stream_connected"] === undefined ? "–" : fields["stream_connected"] ? "connected" : "not connected"],
      ["Role at the gateway", String(fields["role"] ?? "–")],
      ["Gateway token", typeof expires === "number" ? formatTimeLeft(expires) : "none"],
      ["Waiting at the scraper", formatMeasurement(readNumber(fields["outbox_rows"]), "", 0)],
      ["Your own token", formatTimeLeft(sessionLeft)],
      ["Time zone", `${status.time_zone}${ZONE_SOURCES[status.time_zone_source]}`],
    ];
    const shown = [...this.facts.querySelectorAll("dd")];
    if (shown.length === facts.length) shown.forEach((element, i) => setText(element, facts[i]![1]));
    else this.facts.replaceChildren(...facts.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));
  }
}

/** Who says the zone; nothing where the owner does. */
const ZONE_SOURCES = { "sites-file": "", gateway: ", says the gateway", receiver: ", as the receiver's machine has it" };

function formatTimeLeft(seconds: number): string {
  return seconds <= 0 ? "expired" : `${formatDuration(seconds)} left`;
}

function readNumber(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
