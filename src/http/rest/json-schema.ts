/** A JSON Schema of the 2020-12 draft, as OpenAPI 3.1 has it. */
export type JsonSchema = { readonly [keyword: string]: unknown };
