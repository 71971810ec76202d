import assert from "node:assert/strict";
import { test } from "node:test";
import { clockAt, dateAt, dayName, knownZone, plusDays } from "../src/days.ts";
import { dayOf, startOf } from "../src/day.ts";

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);

test("the date is that of the site, not of the reader", () => {
  assert.equal(dateAt(at("2026-11-20T23:30Z"), "Europe/Berlin"), "2026-11-21");
  assert.equal(dateAt(at("2026-11-20T23:30Z"), "America/New_York"), "2026-11-20");
  assert.equal(clockAt(at("2026-07-01T10:00Z"), "Asia/Kolkata"), "15:30");
});

test("days begin and end at the midnights of the site", () => {
  const day = dayOf("2026-11-21", at("2026-11-21T12:00Z"), "Europe/Berlin");
  assert.equal(day.start, at("2026-11-20T23:00Z"));
  assert.equal(day.stop, at("2026-11-21T23:00Z"));
  assert.ok(day.isToday);
});

test("days of the change to and from summer time have 23 and 25 hours", () => {
  const spring = dayOf("2026-03-29", at("2026-06-01T00:00Z"), "Europe/Berlin");
  const autumn = dayOf("2026-10-25", at("2026-11-01T00:00Z"), "Europe/Berlin");
  assert.equal((spring.stop - spring.start) / HOUR_MS, 23);
  assert.equal((autumn.stop - autumn.start) / HOUR_MS, 25);
});

test("the first instant is found in zones far from UTC, with odd minutes, and where midnight does not exist", () => {
  assert.equal(startOf("2026-01-01", "Pacific/Kiritimati"), at("2025-12-31T10:00Z"));
  assert.equal(startOf("2026-01-01", "Etc/GMT+12"), at("2026-01-01T12:00Z"));
  assert.equal(startOf("2026-01-01", "Asia/Kathmandu"), at("2025-12-31T18:15Z"));
  assert.equal(startOf("2018-11-04", "America/Sao_Paulo"), at("2018-11-04T03:00Z")); // clocks went from 00:00 to 01:00
});

test("days are named as people call them", () => {
  assert.equal(dayName("2026-11-21", "2026-11-21"), "Today");
  assert.equal(dayName("2026-11-20", "2026-11-21"), "Yesterday");
  assert.match(dayName("2026-11-19", "2026-11-21"), /^Thu,? 19 November$/);
  assert.match(dayName("2025-11-19", "2026-11-21"), /2025$/);
});

test("days are counted over ends of months and leap days", () => {
  assert.equal(plusDays("2028-02-28", 1), "2028-02-29");
  assert.equal(plusDays("2026-01-01", -1), "2025-12-31");
});

test("a zone that this browser does not know is shown in UTC", () => {
  assert.equal(knownZone("Mars/Olympus"), "UTC");
  assert.equal(knownZone(null), "UTC");
  assert.equal(knownZone("Europe/Vienna"), "Europe/Vienna");
});
