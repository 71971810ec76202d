/**
 * Makes src/schema.ts from the API's OpenAPI document on standard input, or with --check fails where it differs.
 * build.sh calls it with the document of the receiver beside it.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { compile, type JSONSchema } from "json-schema-to-typescript";

const FILE = new URL("../src/schema.ts", import.meta.url);
const BANNER = "/** Answers of the API. Generated from its published schema: `make page-types` makes it again. */";

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

const document = JSON.parse(await text(process.stdin)) as { components: { schemas: Record<string, unknown> } };
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
const result = made
  .replace(/export interface Unused \{[^}]*\}\n/, "")
  .replace(/ \*\n \* This interface was referenced by `Unused`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g, "");
if (process.argv[2] === "--check") {
  if (readFileSync(FILE, "utf8") !== result) {
    console.error("src/schema.ts is not what the API publishes: run `make page-types`");
    process.exit(1);
  }
} else {
  writeFileSync(FILE, result);
}
