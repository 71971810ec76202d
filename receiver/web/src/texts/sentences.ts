/** What sentences of every language need. Pure. */

/** A text as a sentence: with a stop at its end, and only one where its last word ends with one ("21. Nov."). */
export function endSentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
