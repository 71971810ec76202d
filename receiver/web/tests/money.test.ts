import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { useLanguages } from "../src/locale.ts";
import { computeBalance, findSide, formatMoney } from "../src/money.ts";

const simplify = (text: string): string => text.replaceAll(/[\u202f\u00a0]/g, " ");

afterEach(() => useLanguages(["en-GB"]));

test("money is written with the currency of the sites file as the reader's locale does", () => {
  const write = (tag: string, value: number, currency: string | null): string => {
    useLanguages([tag]);
    return simplify(formatMoney(value, currency));
  };
  assert.equal(write("de-DE", 1234.5, "EUR"), "1.234,50 €");
  assert.equal(write("en-US", -1234.5, "EUR"), "\u2212€1,234.50");
  assert.equal(write("en-US", 3, "USD"), "$3.00");
  assert.equal(write("en-US", 3, "CAD"), "CA$3.00"); // its dollars are not the reader's
  assert.equal(write("de-CH", -0.001, "CHF"), "CHF 0.00");
  assert.equal(write("ja-JP", 1234.5, "JPY"), "¥1,235".replace("¥", "￥"));
});

test("where nobody named a currency, an amount is a number", () => {
  assert.equal(formatMoney(-1.5, null), "\u22121.50");
  assert.equal(formatMoney(null, "EUR"), "–");
});

const BOUGHT_AND_SOLD = { cost: 3, feed_in: 1, imported_wh: 9000, exported_wh: 12000 };

test("the balance is what came in less what went out, and unknown where a price is", () => {
  assert.equal(computeBalance(BOUGHT_AND_SOLD), -2);
  assert.equal(computeBalance({ ...BOUGHT_AND_SOLD, feed_in: null }), null);
  assert.equal(computeBalance({ ...BOUGHT_AND_SOLD, cost: null }), null);
  assert.equal(computeBalance({ ...BOUGHT_AND_SOLD, feed_in: null, exported_wh: null }), null);
});

test("what was not bought or sold costs nothing, whatever its price", () => {
  assert.equal(computeBalance({ ...BOUGHT_AND_SOLD, feed_in: null, exported_wh: 0 }), -3);
  assert.equal(computeBalance({ ...BOUGHT_AND_SOLD, cost: null, imported_wh: 0 }), 1);
});

test("where the balance is unknown, the side of it that is known is said by itself", () => {
  assert.equal(findSide({ ...BOUGHT_AND_SOLD, feed_in: null }, "cost"), 3);
  assert.equal(findSide({ ...BOUGHT_AND_SOLD, cost: null }, "feed_in"), 1);
  assert.equal(findSide(BOUGHT_AND_SOLD, "cost"), null);
});
