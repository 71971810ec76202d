import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewayStatus } from "../src/schema.ts";
import { listNotices } from "../src/health.ts";
import { useLanguages } from "../src/locale.ts";
import { BACKLOG_ROWS, REPORT_LATE_S, TOKEN_LEFT_S } from "../src/limits.ts";

function makeStatus(fields: Record<string, number | string>, changes: Partial<GatewayStatus> = {}): GatewayStatus {
  return {
    gateway: "122300001234", name: null, time_zone: null, last_timestamp: 0, age_seconds: 1, status: fields,
    status_age_seconds: 10, delivery_lag_seconds: 1, open_gap_since: null, doubted_powers: [],
    power: { grid_mode: null, load_unknown: null }, ...changes,
  } as GatewayStatus;
}

const listTitles = (one: GatewayStatus): string[] => listNotices(one, "UTC").map((notice) => notice.title);

test("a system that is well needs nobody", () => {
  const fine = { certificate_changed: 0, login_blocked: 0, outbox_rows: 40, token_expires_in: 200 * 86_400, dead_letters: 0, clock_offset: -2 };
  assert.deepEqual(listTitles(makeStatus(fine)), []);
});

test("what stops logins comes first and is the worst", () => {
  const found = listNotices(makeStatus({ certificate_changed: 1, login_blocked: 1, outbox_rows: 5000 }), "UTC");
  assert.deepEqual(found.map((notice) => notice.level), ["bad", "bad", "warn"]);
  assert.match(found[0]!.advice, /envoy-scraper trust/);
  assert.match(found[1]!.advice, /envoy-scraper check/);
});

test("a silent scraper, an open gap and a backlog are named", () => {
  assert.match(listTitles(makeStatus({}, { status_age_seconds: 900 }))[0]!, /silent/);
  assert.match(listTitles(makeStatus({}, { status_age_seconds: null }))[0]!, /silent/);
  assert.match(listNotices(makeStatus({}, { open_gap_since: Date.parse("2026-11-21T10:00Z") }), "UTC")[0]!.advice, /21 Nov.*10:00/);
  assert.match(listTitles(makeStatus({ outbox_rows: 2000 }))[0]!, /waiting/);
  assert.match(listTitles(makeStatus({}, { delivery_lag_seconds: 4000 }))[0]!, /waiting/);
});

test("a token is spoken of when it is time to act, which is later for an installer's", () => {
  assert.match(listTitles(makeStatus({ token_expires_in: 5 * 86_400, role: "owner" }))[0]!, /expires in 5 days/);
  assert.match(listTitles(makeStatus({ token_expires_in: -5, role: "owner" }))[0]!, /has expired/);
  assert.deepEqual(listTitles(makeStatus({ token_expires_in: 11 * 3600, role: "installer" })), []);
  assert.match(listTitles(makeStatus({ token_expires_in: 1800, role: "installer" }))[0]!, /expires in/);
});

test("a system of the cloud has an approval, and nothing is said of a gateway or a token", () => {
  const listOf = (source: GatewayStatus["source"], left: number): string[] =>
    listNotices(makeStatus({ login_blocked: 1, token_expires_in: left }, { source }), "UTC").map((one) => `${one.title}. ${one.advice}`);
  const [login, approval] = listOf("cloud", 12 * 86_400);
  assert.match(login!, /^Reading from the cloud is stopped\. .*approval is missing or was refused.*envoy-scraper check.*envoy-scraper cloud authorise$/);
  assert.match(approval!, /^The approval to read the cloud expires in 12 days\. .*envoy-scraper cloud authorise$/);
  assert.match(listOf("cloud", 0)[1]!, /^The approval to read the cloud has expired\. /);
  assert.doesNotMatch(listOf("gateway", 86_400).join(), /approval|cloud authorise/);
  useLanguages(["de-DE"]);
  const german = [...listOf("cloud", 12 * 86_400), ...listOf("cloud", 0)];
  useLanguages(["en-GB"]);
  assert.match(german[0]!, /^Das Lesen aus der Cloud ist angehalten\. Die Freigabe .*envoy-scraper check.*envoy-scraper cloud authorise$/);
  assert.match(german[1]!, /^Die Freigabe für die Cloud läuft in 12 Tagen ab\. .*envoy-scraper cloud authorise$/);
  assert.match(german[3]!, /^Die Freigabe für die Cloud ist abgelaufen\. /);
  for (const said of [login!, approval!, ...german]) assert.doesNotMatch(said, /gateway|token|password|passwort/i);
});

test("the page warns at the limits of the receiver's alarms", () => {
  const count = (fields: Record<string, number>, age = 10): number => listTitles(makeStatus(fields, { status_age_seconds: age })).length;
  assert.deepEqual([count({}, REPORT_LATE_S), count({}, REPORT_LATE_S + 1)], [0, 1]);
  assert.deepEqual([count({ outbox_rows: BACKLOG_ROWS }), count({ outbox_rows: BACKLOG_ROWS + 1 })], [0, 1]);
  assert.deepEqual([count({ token_expires_in: TOKEN_LEFT_S }), count({ token_expires_in: TOKEN_LEFT_S - 1 })], [0, 1]);
});

test("a house that is cut off, and a load that cannot be known, are explained", () => {
  const makePower = (grid_mode: string | null, load_unknown: string | null): GatewayStatus =>
    makeStatus({}, { power: { grid_mode, load_unknown } } as Partial<GatewayStatus>);
  assert.deepEqual(listTitles(makePower("connected", null)), []);
  assert.match(listNotices(makePower("islanded", null), "UTC")[0]!.advice, /battery feeds it/);
  assert.match(listTitles(makePower(null, "battery-power-unknown"))[0]!, /not known/);
  const [island, load] = listNotices(makePower("generator", "generator-runs"), "UTC");
  assert.match(island!.advice, /generator feeds it/);
  assert.match(load!.advice, /no purchase/);
  const advise = (reason: string): string => listNotices(makePower(null, reason), "UTC")[0]!.advice;
  assert.match(advise("total-meter-beside-battery"), /includes the battery/);
  assert.match(advise("phase-silent"), /a part is not the sum/);
  assert.match(advise("production-unknown"), /no inverter reports/);
  assert.match(advise("meters-contradict"), /backwards/);
});

test("a meter that contradicts the inverters is named with the remedy", () => {
  const [notice] = listNotices(makeStatus({}, { doubted_powers: [{ measured_w: -1, reported_w: 3010 }] }), "UTC");
  assert.match(notice!.title, /contradicts/);
  assert.match(notice!.advice, /3\.01\u202fkW.*role ignore/);
});
