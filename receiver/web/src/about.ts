/** How old everything is, who reads, and the way out. */

import { formatAge, formatDuration, formatMeasurement } from "./format.ts";
import { nameZone } from "./days.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { GatewayStatus } from "./schema.ts";

export class AboutView {
  readonly element: HTMLElement;
  private readonly facts = h("dl", { class: "facts" });

  constructor(signOut: () => void) {
    const button = h("button", { type: "button", class: "quiet" }, texts.shared.signOut);
    button.addEventListener("click", signOut);
    this.element = h(
      "section", { class: "card about", "aria-labelledby": "about-title" },
      h("div", { class: "head" }, h("h2", { id: "about-title" }, texts.about.title), button), this.facts,
    );
  }

  /** Show the status, and how long (seconds) the reader's own token is still good. */
  show(status: GatewayStatus, sessionLeft: number): void {
    const fields = status.status;
    const expires = fields["token_expires_in"];
    const say = texts.about;
    const facts: [string, string][] = [
      [say.serial, status.gateway],
      [say.firmware, String(fields["firmware"] ?? texts.none)],
      [say.newest, formatAge(status.age_seconds)],
      [say.scraper, formatAge(status.status_age_seconds)],
      [say.delivered, status.delivery_lag_seconds === null ? texts.none : formatDuration(status.delivery_lag_seconds)],
      [say.stream, fields["stream_connected"] === undefined ? texts.none : fields["stream_connected"] ? say.connected : say.notConnected],
      [say.role, String(fields["role"] ?? texts.none)],
      [say.token, typeof expires === "number" ? formatTimeLeft(expires) : say.noToken],
      [say.waiting, formatMeasurement(readNumber(fields["outbox_rows"]), "", 0)],
      [say.ownToken, formatTimeLeft(sessionLeft)],
      [say.zone, `${nameZone(status.time_zone)}${say.zoneSources[status.time_zone_source]}`],
    ];
    const shown = [...this.facts.querySelectorAll("dd")];
    if (shown.length === facts.length) shown.forEach((element, i) => setText(element, facts[i]![1]));
    else this.facts.replaceChildren(...facts.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));
  }
}

function formatTimeLeft(seconds: number): string {
  return seconds <= 0 ? texts.time.expired : texts.time.left(formatDuration(seconds));
}

function readNumber(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
