/** What needs a person: from the status of a gateway to sentences. Pure. */

import { formatAge, formatAmount, formatDigits, formatDuration } from "./format.ts";
import { formatMoment } from "./days.ts";
import { BACKLOG_ROWS, REPORT_LATE_S, SHORT_LIVED_ROLE, TOKEN_LEFT_S } from "./limits.ts";
import { texts } from "./locale.ts";
import type { GatewayStatus } from "./schema.ts";

export interface PageNotice {
  level: "bad" | "warn";
  title: string;
  advice: string;
  /** The alarm of the receiver that says the same, if there is one. */
  alarm?: string;
  /** Of whom alone it says that, if not of the whole system: serials of inverters. */
  subjects?: string[];
}

const LAG_S = 300;
/** An installer's token never lives longer than twelve hours: only its last one is worth a word. */
const INSTALLER_WARN_S = 3_600;
const CLOCK_S = 300;

/** The notices of one gateway, the worst first. Times are shown in `zone`. */
export function listNotices(status: GatewayStatus, zone: string): PageNotice[] {
  const fields = status.status;
  const say = texts.notices;
  const isOfCloud = status.source === "cloud"; // an approval stands in the place of its token
  const [login, token] = isOfCloud ? [say.cloudLogin, say.approval] : [say.login, say.token];
  const found: PageNotice[] = [];
  const addBad = (title: string, advice: string, alarm?: string): void => addNotice({ level: "bad", title, advice }, alarm);
  const addWarning = (title: string, advice: string, alarm?: string): void => addNotice({ level: "warn", title, advice }, alarm);
  const addNotice = (notice: PageNotice, alarm?: string): void => void found.push(alarm ? { ...notice, alarm } : notice);
  if (readNumberOrZero(fields["certificate_changed"]) > 0) {
    addBad(say.certificate.title, say.certificate.advice, "certificate-changed");
  }
  if (readNumberOrZero(fields["login_blocked"]) > 0) {
    addBad(login.title, login.advice);
  }
  if (status.status_age_seconds === null || status.status_age_seconds > REPORT_LATE_S) {
    const advice = status.status_age_seconds === null ? say.silent.never : say.silent.last(formatAge(status.status_age_seconds));
    addBad(say.silent.title, advice, "scraper-silent");
  }
  const expires = fields["token_expires_in"];
  if (typeof expires === "number" && expires < (fields["role"] === SHORT_LIVED_ROLE ? INSTALLER_WARN_S : TOKEN_LEFT_S)) {
    const title = expires <= 0 ? token.expired : token.expires(formatDuration(expires, true));
    addWarning(title, token.advice, "token-expiring");
  }
  if (status.open_gap_since !== null) {
    addWarning(say.gap.title, say.gap.advice(formatMoment(status.open_gap_since, zone)), "gateway-silent");
  }
  if (status.power.grid_mode === "islanded" || status.power.grid_mode === "generator") {
    const advice = status.power.grid_mode === "generator" ? say.grid.generator : say.grid.battery;
    addWarning(say.grid.title, advice, "grid-lost");
  }
  if (status.power.load_unknown !== null) addWarning(say.load.title, say.load[status.power.load_unknown]);
  for (const { measured_w, reported_w } of status.doubted_powers) {
    addWarning(say.doubt.title, say.doubt.advice(formatAmount(measured_w, "W"), formatAmount(reported_w, "W")), "meter-contradicts");
  }
  const waiting = readNumberOrZero(fields["outbox_rows"]);
  if (waiting > BACKLOG_ROWS || (status.delivery_lag_seconds ?? 0) > LAG_S) {
    addWarning(say.backlog.title, say.backlog.advice(formatDigits(waiting, 0)), "backlog-growing");
  }
  if (readNumberOrZero(fields["dead_letters"]) > 0) {
    addWarning(say.dead.title, say.dead.advice);
  }
  const offset = Math.abs(readNumberOrZero(fields["clock_offset"]));
  if (offset > CLOCK_S) addWarning(say.clock.title, say.clock.advice(formatDuration(offset, true)));
  return found;
}

function readNumberOrZero(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
