import { test } from "node:test";
import assert from "node:assert/strict";

import { addAlarms } from "../src/alarms.ts";
import { useLanguages } from "../src/locale.ts";
import type { AlarmEntry } from "../src/schema.ts";

const SINCE = Date.parse("2026-11-21T10:00Z");
const makeAlarm = (changes: Partial<AlarmEntry>): AlarmEntry => ({
  alarm: "panel-dead", title: "Panel dead", severity: "warning", gateway: "1", subject: "7", state: "firing",
  reason: "Panel 7 gave nothing.", values: { panel: "7" }, advice: "Look at it.", since: SINCE, began: SINCE, ended: null, judged: SINCE, ...changes,
});

test("an alarm that fires is said with its beginning; pending and ended ones are not", () => {
  const [one, ...rest] = addAlarms([], [makeAlarm({}), makeAlarm({ state: "pending", alarm: "losses" }), makeAlarm({ state: "ended", alarm: "grid-lost" })], "UTC");
  assert.deepEqual(rest, []);
  assert.equal(one!.title, "Panel dead");
  assert.match(one!.advice, /Panel 7 gave nothing.*21 Nov.*10:00.*Look at it/);
});

test("an alarm that fires takes the place of the notice that says the same, which lacks what to do", () => {
  const said = [
    { level: "warn" as const, title: "Nothing is measured at present", advice: "A gap is open.", alarm: "gateway-silent" },
    { level: "warn" as const, title: "Readings are dropped", advice: "" },
  ];
  const silent = makeAlarm({ alarm: "gateway-silent", title: "Gateway silent", severity: "critical", subject: null });
  const [first, ...others] = addAlarms(said, [silent], "UTC");
  assert.deepEqual([first!.level, first!.title], ["bad", "Gateway silent"]);
  assert.match(first!.advice, /21 Nov.*10:00.*Look at it/);
  assert.deepEqual(others, [said[1]]);
  assert.deepEqual(addAlarms(said, [{ ...silent, state: "pending" }], "UTC"), said);
});

test("a notice of panels speaks for the alarms of these panels", () => {
  const said = [{ level: "warn" as const, title: "Panel 7 is silent", advice: "", alarm: "panel-dead", subjects: ["7"] }];
  assert.deepEqual(addAlarms(said, [makeAlarm({})], "UTC"), said);
  assert.equal(addAlarms(said, [makeAlarm({ subject: "8" })], "UTC").length, 2);
});

test("many panels are one notice, and critical alarms come first", () => {
  const many = [1, 2, 3, 4, 5].map((number) => makeAlarm({ subject: `${number}` }));
  const found = addAlarms([], [...many, makeAlarm({ alarm: "disk-nearly-full", title: "Disk nearly full", severity: "critical" })], "UTC");
  assert.deepEqual(found.map((notice) => notice.title), ["Disk nearly full", "Panel dead (5)"]);
  assert.match(found[1]!.advice, /And 2 more/);
});

test("where nobody knows the alarms, that is said", () => {
  assert.match(addAlarms([], null, "UTC")[0]!.title, /not known/);
});

test("an alarm has the reader's language, with its values as the reader writes them", () => {
  useLanguages(["de-DE"]);
  const describe = (changes: Partial<AlarmEntry>): string => addAlarms([], [makeAlarm(changes)], "UTC")[0]!.advice.replaceAll("\u202f", " ");
  assert.equal(addAlarms([], [makeAlarm({})], "UTC")[0]!.title, "Modul tot");
  assert.match(describe({}), /^Modul 7 gab eine Stunde .*\. So ist es seit 21\. Nov\., 10:00\. Sehen Sie /);
  assert.match(describe({ alarm: "backlog-growing", values: { readings: 12345 } }), /warten 12\.345 Messwerte/);
  assert.match(describe({ alarm: "phase-voltage", subject: "a", values: { now_v: 262.4 } }), /Phase a am Gateway 1 ist 262 V,/);
  assert.match(describe({ alarm: "panel-weak", values: { panel: "7", before_share: 0.3, last_share: 0.414 } }), /30 % und 41 % der Energie/);
  const disk = { alarm: "disk-nearly-full" as const, subject: "readings", values: { free_gib: 1.23, free_share: 0.0123 } };
  assert.match(describe(disk), /^Beim Scraper des Gateways 1 sind 1,2 GiB \(1,2 %\)/);
  assert.match(describe({ ...disk, gateway: null }), /^Beim Empfänger sind 1,2 GiB \(1,2 %\) einer Platte frei \(readings\)/);
  const kept = describe({ values: {} });
  useLanguages(["en-GB"]);
  assert.match(kept, /^Panel 7 gave nothing\. So ist es/, "kept by a version that had no values");
});

test("an alarm of a system of the cloud speaks of its approval", () => {
  const expiring = makeAlarm({
    alarm: "token-expiring", title: "Approval expiring", gateway: "system-4711023", subject: null, values: { left_s: 12 * 86_400 },
    reason: "The approval of system-4711023 is good for 12 days more.", advice: "With `envoy-scraper cloud authorise`.",
  });
  const say = (alarm: AlarmEntry): string => addAlarms([], [alarm], "UTC", "cloud").map((one) => `${one.title}: ${one.advice}`).join();
  assert.match(say(expiring), /^Approval expiring: The approval of system-4711023 .*cloud authorise/);
  useLanguages(["de-DE"]);
  const [approval, silent, token] = [say(expiring), say({ ...expiring, alarm: "scraper-silent" }), addAlarms([], [expiring], "UTC")[0]!.title];
  useLanguages(["en-GB"]);
  assert.match(approval, /^Freigabe läuft ab: Die Freigabe von system-4711023 gilt noch 12 Tage\. .*envoy-scraper cloud authorise$/);
  assert.doesNotMatch(approval, /gateway|token/i);
  assert.match(silent, /^Scraper stumm: /, "words that are the same for both");
  assert.equal(token, "Token läuft ab", "of a gateway");
});
