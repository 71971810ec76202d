/** What needs a person: from the status of a gateway to sentences. Pure. */

import { formatDuration, formatAge } from "./format.ts";
import { formatMoment } from "./days.ts";
import type { GatewayStatus } from "./schema.ts";
import { DAY_S } from "./units.ts";

export interface PageNotice {
  level: "bad" | "warn";
  title: string;
  advice: string;
  /** The alarm of the receiver that says the same, if there is one. */
  alarm?: string;
  /** Of whom alone it says that, if not of the whole system: serials of inverters. */
  subjects?: string[];
}

const BACKLOG_ROWS = 1_000;
const LAG_S = 300;
/** A scraper that has said nothing for so long is silent. */
export const SILENT_S = 300;
const TOKEN_WARN_S = 14 * DAY_S;
/** An installer's token never lives longer than twelve hours: only its last one is worth a word. */
const INSTALLER_WARN_S = 3_600;
const CLOCK_S = 300;

/** The notices of one gateway, the worst first. Times are shown in `zone`. */
export function listNotices(status: GatewayStatus, zone: string): PageNotice[] {
  const fields = status.status;
  const found: PageNotice[] = [];
  const addBad = (title: string, advice: string, alarm?: string): void => addNotice({ level: "bad", title, advice }, alarm);
  const addWarning = (title: string, advice: string, alarm?: string): void => addNotice({ level: "warn", title, advice }, alarm);
  const addNotice = (notice: PageNotice, alarm?: string): void => void found.push(alarm ? { ...notice, alarm } : notice);
  if (readNumberOrZero(fields["certificate_changed"]) > 0) {
    addBad(
      "The gateway shows another certificate",
      "No password is sent to it until you accept it. If it was replaced or updated, run: envoy-scraper trust",
      "certificate-changed",
    );
  }
  if (readNumberOrZero(fields["login_blocked"]) > 0) {
    addBad("The login at the gateway is stopped", "Its token or password was refused. On the scraper, run: envoy-scraper check");
  }
  if (status.status_age_seconds === null || status.status_age_seconds > SILENT_S) {
    addBad(
      "The scraper is silent",
      `${status.status_age_seconds === null ? "It has not reported yet." : `Its last report came ${formatAge(status.status_age_seconds)}.`} Check that it runs and reaches this receiver.`,
      "scraper-silent",
    );
  }
  const expires = fields["token_expires_in"];
  if (typeof expires === "number" && expires < (fields["role"] === "installer" ? INSTALLER_WARN_S : TOKEN_WARN_S)) {
    addWarning(
      expires <= 0 ? "The gateway's token has expired" : `The gateway's token expires in ${formatDuration(expires)}`,
      "Give the scraper a new one, or cloud credentials so that it renews the token itself.",
      "token-expiring",
    );
  }
  if (status.open_gap_since !== null) {
    addWarning(
      "Nothing is measured at present", `A gap has been open since ${formatMoment(status.open_gap_since, zone)}.`, "gateway-silent",
    );
  }
  if (status.power.grid_mode === "islanded" || status.power.grid_mode === "generator") {
    addWarning(
      "The house is cut off from the grid",
      status.power.grid_mode === "generator" ? "A generator feeds it." : "Its battery feeds it until the grid is back.",
      "grid-lost",
    );
  }
  if (status.power.load_unknown === "battery-power-unknown") {
    addWarning(
      "What the house uses is not known",
      "The power of its battery is not known now. To see why, run on the scraper: envoy-scraper check",
    );
  }
  if (status.power.load_unknown === "generator-runs") {
    addWarning(
      "What the house uses is not known",
      "A generator runs that no meter measures. What seems to come from the grid meanwhile is no purchase.",
    );
  }
  for (const doubt of status.meter_doubts) addWarning("A meter contradicts the inverters", doubt, "meter-contradicts");
  const waiting = readNumberOrZero(fields["outbox_rows"]);
  if (waiting > BACKLOG_ROWS || (status.delivery_lag_seconds ?? 0) > LAG_S) {
    addWarning("Readings are waiting", `${Math.round(waiting)} are on their way; nothing is lost, older ones arrive later.`, "backlog-growing");
  }
  if (readNumberOrZero(fields["dead_letters"]) > 0) {
    addWarning("Some readings were refused", "They are kept at the scraper. To see why, run: envoy-scraper outbox");
  }
  if (Math.abs(readNumberOrZero(fields["clock_offset"])) > CLOCK_S) {
    addWarning("The gateway's clock is wrong", `It is off by ${formatDuration(Math.abs(readNumberOrZero(fields["clock_offset"])))}; readings are corrected.`);
  }
  return found;
}

function readNumberOrZero(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
