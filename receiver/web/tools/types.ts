/**
 * Makes src/schema.ts and src/limits.ts from the receiver's description on standard input (the API's OpenAPI document,
 * and the limits of the alarms), or with --check fails where they differ. build.sh calls it with the receiver beside it.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { compile, type JSONSchema } from "json-schema-to-typescript";

const SCHEMA = "schema.ts";
const LIMITS = "limits.ts";
const BANNER = "/** Answers of the API. Generated from its published schema: `make page-types` makes it again. */";
const LIMITS_BANNER = "/** Limits of the alarms. Generated from receiver/alarms/limits.py, which explains them: `make page-types` makes it again. */";

/** A schema without the titles inside it and the words beside references, which would become types of their own. */
function simplify(part: unknown, isTop = true): unknown {
  if (Array.isArray(part)) return part.map((entry) => simplify(entry, false));
  if (typeof part !== "object" || part === null) return part;
  if ("$ref" in part) return { $ref: String(part.$ref).replace("#/components/schemas/", "#/definitions/") };
  const entries = Object.entries(part)
    .filter(([name, value]) => name !== "title" || isTop || typeof value !== "string")
    .map(([name, value]) => [name, simplify(value, false)]);
  return Object.fromEntries(entries);
}

const document = JSON.parse(await text(process.stdin)) as {
  components: { schemas: Record<string, unknown> };
  "x-alarm-limits": Record<string, number | string>;
};
const definitions = Object.fromEntries(
  Object.entries(document.components.schemas)
    .filter(([name]) => !name.startsWith("HTTPValidationError") && !name.startsWith("ValidationError"))
    .map(([name, schema]) => [name, simplify(schema)]),
) as Record<string, JSONSchema>;
const made = await compile({ definitions } as JSONSchema, "Unused", {
  additionalProperties: false,
  bannerComment: BANNER,
  style: { printWidth: 120 },
  unreachableDefinitions: true,
});
const schema = made
  .replace(/export interface Unused \{[^}]*\}\n/, "")
  .replace(/ \*\n \* This interface was referenced by `Unused`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g, "");
const limits = Object.entries(document["x-alarm-limits"]).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`);
const results = { [SCHEMA]: schema, [LIMITS]: `${LIMITS_BANNER}\n\n${limits.join("")}` };
for (const [name, result] of Object.entries(results)) {
  const file = new URL(`../src/${name}`, import.meta.url);
  if (process.argv[2] !== "--check") writeFileSync(file, result);
  else if (readFileSync(file, "utf8") !== result) {
    console.error(`src/${name} is not what the receiver says: run \`make page-types\``);
    process.exit(1);
  }
}
