import assert from "node:assert/strict";
import { test } from "node:test";
import { formatClock, findDate, nameDay, nameZone, chooseZone, addDays } from "../src/days.ts";
import { findStart } from "../src/day.ts";
import { findSpan } from "../src/spans.ts";

const HOUR_MS = 3_600_000;
const parse = (text: string): number => Date.parse(text);

test("the date is that of the site, not of the reader", () => {
  assert.equal(findDate(parse("2026-11-20T23:30Z"), "Europe/Berlin"), "2026-11-21");
  assert.equal(findDate(parse("2026-11-20T23:30Z"), "America/New_York"), "2026-11-20");
  assert.equal(formatClock(parse("2026-07-01T10:00Z"), "Asia/Kolkata"), "15:30");
});

test("days begin and end at the midnights of the site", () => {
  const day = findSpan("day", "2026-11-21", parse("2026-11-21T12:00Z"), "Europe/Berlin", null);
  assert.equal(day.start, parse("2026-11-20T23:00Z"));
  assert.equal(day.stop, parse("2026-11-21T23:00Z"));
  assert.ok(day.isCurrent);
});

test("days of the change to and from summer time have 23 and 25 hours", () => {
  const spring = findSpan("day", "2026-03-29", parse("2026-06-01T00:00Z"), "Europe/Berlin", null);
  const autumn = findSpan("day", "2026-10-25", parse("2026-11-01T00:00Z"), "Europe/Berlin", null);
  assert.equal((spring.stop - spring.start) / HOUR_MS, 23);
  assert.equal((autumn.stop - autumn.start) / HOUR_MS, 25);
});

test("the first instant is found in zones far from UTC, with odd minutes, and where midnight does not exist", () => {
  assert.equal(findStart("2026-01-01", "Pacific/Kiritimati"), parse("2025-12-31T10:00Z"));
  assert.equal(findStart("2026-01-01", "Etc/GMT+12"), parse("2026-01-01T12:00Z"));
  assert.equal(findStart("2026-01-01", "Asia/Kathmandu"), parse("2025-12-31T18:15Z"));
  assert.equal(findStart("2018-11-04", "America/Sao_Paulo"), parse("2018-11-04T03:00Z")); // clocks went from 00:00 to 01:00
});

test("days are named as people call them", () => {
  const find = (date: string) => findSpan("day", date, parse("2026-11-21T12:00Z"), "UTC", null);
  assert.deepEqual([find("2026-11-21").name, find("2026-11-20").name], ["Today", "Yesterday"]);
  assert.match(nameDay("2026-11-19", "2026-11-21"), /^Thu,? 19 November$/);
  assert.match(nameDay("2025-11-19", "2026-11-21"), /2025$/);
});

test("days are counted over ends of months and leap days", () => {
  assert.equal(addDays("2028-02-28", 1), "2028-02-29");
  assert.equal(addDays("2026-01-01", -1), "2025-12-31");
});

test("a zone that this browser does not know is shown in UTC", () => {
  assert.equal(chooseZone("Mars/Olympus"), "UTC");
  assert.equal(chooseZone(null), "UTC");
  assert.equal(chooseZone("Europe/Vienna"), "Europe/Vienna");
});

test("a zone of a fixed offset is named by the sign that people write", () => {
  assert.equal(nameZone("Etc/GMT-13"), "UTC+13");
  assert.equal(nameZone("Etc/GMT+5"), "UTC\u22125");
  assert.deepEqual(["Etc/GMT", "Etc/GMT+0", "Etc/GMT-0"].map(nameZone), ["UTC", "UTC", "UTC"]);
  assert.deepEqual(["Europe/Vienna", "Etc/UTC", "UTC"].map(nameZone), ["Europe/Vienna", "Etc/UTC", "UTC"]);
});
