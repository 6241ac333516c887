import type { JsonSchema } from "./json-schema.ts";

/** A parameter of a query string: how its texts are read, and how OpenAPI describes it. */
export interface Parameter {
  readonly description: string;
  readonly schema: JsonSchema;
  /** Whether it may stand several times. */
  readonly isList: boolean;
  /** Whether it must be given. */
  readonly isRequired?: boolean;
  /** The value when it is left out. */
  readonly default?: unknown;
  /** Its value; undefined when the texts are none. At least one text is given, and only one unless it is a list. */
  read(texts: readonly string[]): unknown;
  /** What is told when they are none. */
  readonly rule: string;
}

/** Any text. */
export function text(description: string): Parameter {
  return { description, schema: { type: "string" }, isList: false, read: ([only]) => only, rule: "must be a text" };
}

/** Texts, each in a parameter of its own or separated by commas. Given and empty it is an empty list. */
export function textList(description: string): Parameter {
  return {
    description: `${description} Several: separated by commas, repeated, or as \`name[]\`.`,
    schema: { type: "array", items: { type: "string" } },
    isList: true,
    read: (texts) =>
      texts
        .flatMap((list) => list.split(","))
        .map((part) => part.trim())
        .filter(Boolean),
    rule: "must be texts",
  };
}

/** A whole number in decimal digits. */
export function wholeNumber(description: string, { from, to, usual }: { from: number; to: number; usual: number }): Parameter {
  return {
    description,
    schema: { type: "integer", minimum: from, maximum: to, default: usual },
    isList: false,
    default: usual,
    read: ([only]) => (/^\d{1,9}$/.test(only!) && Number(only) >= from && Number(only) <= to ? Number(only) : undefined),
    rule: `must be a whole number from ${from} to ${to}`,
  };
}

/** One of the names of a table. */
export function oneOf(description: string, values: Readonly<Record<string, unknown>>): Parameter {
  const table = new Map(Object.entries(values));
  const names = [...table.keys()];
  return {
    description,
    schema: { type: "string", enum: names },
    isList: false,
    read: ([only]) => table.get(only!),
    rule: `must be one of ${names.join(", ")}`,
  };
}
