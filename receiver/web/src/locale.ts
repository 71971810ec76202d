/** The language of the page, and the locale of its numbers and times: both as the browser says. */

import { DE } from "./texts/de.ts";
import { EN, type Texts } from "./texts/en.ts";

const LANGUAGES: Record<string, Texts> = { en: EN, de: DE };
const FALLBACK = "en-GB";

/** The texts of the reader's language. */
export let texts: Texts = EN;
/** Its tag: what the page's `lang` is. */
export let language = "en";
/** For Intl: how the reader writes numbers, dates and clocks, also where there are no texts in that language. */
export let locale = FALLBACK;

/** Take the first language that there are texts in (else English), and the very first one for numbers and times. */
export function useLanguages(languages: readonly string[]): void {
  language = languages.map((tag) => tag.toLowerCase().split("-")[0]!).find((one) => Object.hasOwn(LANGUAGES, one)) ?? "en";
  texts = LANGUAGES[language]!;
  locale = languages.find(isLocale) ?? FALLBACK;
}

function isLocale(tag: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false; // no language tag at all: "C"
  }
}

useLanguages(navigator.languages);
