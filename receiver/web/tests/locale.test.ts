import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { formatClock, formatClocks, formatMoment } from "../src/days.ts";
import { formatAge, formatAmount, formatDigits, formatDuration } from "../src/format.ts";
import { language, locale, texts, useLanguages } from "../src/locale.ts";
import { findSpan } from "../src/spans.ts";
import { DE } from "../src/texts/de.ts";
import { EN } from "../src/texts/en.ts";

const MOMENT = Date.parse("2026-11-19T13:05Z");
const simplify = (text: string): string => text.replaceAll(/[\u202f\u00a0]/g, " ");

afterEach(() => useLanguages(["en-GB"]));

test("the first language with texts is spoken, and the very first writes numbers and times", () => {
  const speak = (...languages: string[]) => { useLanguages(languages); return [language, locale, texts === DE]; };
  assert.deepEqual(speak("de-AT", "en"), ["de", "de-AT", true]);
  assert.deepEqual(speak("fr-FR", "de-DE", "en-US"), ["de", "fr-FR", true]);
  assert.deepEqual(speak("fr-FR"), ["en", "fr-FR", false]);
  assert.deepEqual(speak("EN-us"), ["en", "EN-us", false]);
  assert.deepEqual(speak(), ["en", "en-GB", false]);
  assert.deepEqual(speak("C", "constructor"), ["en", "en-GB", false]);
});

test("numbers, dates and clocks have the reader's form, in the site's zone", () => {
  const write = (tag: string) => {
    useLanguages([tag]);
    const zone = "America/New_York";
    return [
      formatAmount(-1240, "W"), formatDigits(1234.5, 2), formatMoment(MOMENT, zone), formatClock(MOMENT, "Europe/Berlin"),
      ...formatClocks([MOMENT - 300_000], "Europe/Berlin"), findSpan("day", "2026-11-17", MOMENT, zone, null).name,
    ].map(simplify);
  };
  assert.deepEqual(write("en-US"), ["−1.24 kW", "1,234.50", "Nov 19, 8:05 AM", "2:05 PM", "2 PM", "Tue, November 17"]);
  assert.deepEqual(write("de-DE"), ["−1,24 kW", "1.234,50", "19. Nov., 08:05", "14:05", "14:00", "Di., 17. November"]);
});

test("days after a preposition have their own form where the language has one", () => {
  useLanguages(["de"]);
  assert.equal(formatAge(3 * 86_400), "vor 3 Tagen");
  assert.equal(formatDuration(3 * 86_400), "3 Tage");
});

test("years are said as years, in both languages", () => {
  const countSeconds = (count: number): number => count * 365 * 86_400; // as tokens count them
  assert.deepEqual([formatDuration(countSeconds(10)), formatAge(countSeconds(3)), formatDuration(countSeconds(1))], ["10 years", "3 years ago", "365 days"]);
  useLanguages(["de"]);
  assert.deepEqual([formatDuration(countSeconds(10)), formatAge(countSeconds(3)), formatDuration(countSeconds(1))], ["10 Jahre", "vor 3 Jahren", "365 Tage"]);
  assert.equal(texts.time.left(formatDuration(countSeconds(10))), "noch 10 Jahre");
});

test("no language has an empty text, or one of English that was forgotten", () => {
  const collect = (group: object, path: string): [string, string][] => Object.entries(group).flatMap(([name, value]) =>
    typeof value === "string" ? [[`${path}.${name}`, value] as [string, string]]
      : typeof value === "object" && value !== null ? collect(value as object, `${path}.${name}`) : []);
  const english = new Map(collect(EN, ""));
  const same = collect(DE, "").filter(([path, text]) => text.length > 12 && english.get(path) === text).map(([path]) => path);
  assert.deepEqual(same, []);
  const empty = collect(DE, "").filter(([path, text]) => text === "" && english.get(path) !== "");
  assert.deepEqual(empty, []);
});
