// Writes the types of the shop's API from its OpenAPI document: document on standard input, types on standard output.
// A 64-bit whole number becomes a bigint, because that is what this page reads it as (src/api/json.ts).
import { text } from "node:stream/consumers";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const HEAD = `// Generated from the shop's OpenAPI document by \`make prepare\`: do not edit.

`;

const BIGINT = ts.factory.createKeywordTypeNode(ts.SyntaxKind.BigIntKeyword);
const NULL = ts.factory.createLiteralTypeNode(ts.factory.createNull());

const nodes = await openapiTS(JSON.parse(await text(process.stdin)), {
  immutable: true,
  alphabetize: true,
  transform(schema) {
    if (schema.format !== "int64") return undefined;
    const nullable = Array.isArray(schema.type) && schema.type.includes("null");
    return nullable ? ts.factory.createUnionTypeNode([BIGINT, NULL]) : BIGINT;
  },
});
process.stdout.write(HEAD + astToString(nodes));
