import { test } from "node:test";
import assert from "node:assert/strict";

import { addAlarms } from "../src/alarms.ts";
import { useLanguages } from "../src/locale.ts";
import type { AlarmEntry } from "../src/schema.ts";

const SINCE = Date.parse("2026-11-21T10:00Z");
const makeAlarm = (changes: Partial<AlarmEntry>): AlarmEntry => ({
  alarm: "panel-dead", title: "Panel dead", severity: "warning", gateway: "1", subject: "7", state: "firing",
  reason: "Panel 7 gave nothing.", advice: "Look at it.", since: SINCE, began: SINCE, ended: null, judged: SINCE, ...changes,
});

test("an alarm that fires is said with its beginning; pending and ended ones are not", () => {
  const [one, ...rest] = addAlarms([], [makeAlarm({}), makeAlarm({ state: "pending", alarm: "losses" }), makeAlarm({ state: "ended", alarm: "grid-lost" })], "UTC");
  assert.deepEqual(rest, []);
  assert.equal(one!.title, "Panel dead");
  assert.match(one!.advice, /Panel 7 gave nothing.*21 Nov.*10:00.*Look at it/);
});

test("what the status says already is not said twice", () => {
  const said = [{ level: "bad" as const, title: "The scraper is silent", advice: "", alarm: "scraper-silent" }];
  assert.deepEqual(addAlarms(said, [makeAlarm({ alarm: "scraper-silent" })], "UTC"), said);
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

test("name and advice of an alarm have the reader's language, its reason that of the receiver", () => {
  useLanguages(["de-DE"]);
  const [found] = addAlarms([], [makeAlarm({})], "UTC");
  useLanguages(["en-GB"]);
  assert.equal(found!.title, "Modul tot");
  assert.match(found!.advice, /^Panel 7 gave nothing\. So ist es seit 21\. Nov\., 10:00\. Sehen Sie /);
});
