import type { Principal } from "../../access/principal.ts";
import { bodyLimit, readJson } from "../body.ts";
import { invalid, type RestIssue } from "./invalid.ts";
import type { Given, Route } from "./route.ts";
import type { HttpRequest } from "../request.ts";

/** A name that may be told back: what is long or odd is perhaps no name. */
const NAME = /^[\w.[\]-]{1,64}$/;

/**
 * All that a request gives to its route: path, query string and body. Throws `invalid` with every parameter and member
 * that the route does not know, that is missing or that is none, and what readJson throws. What is within the members of
 * a body is for GraphQL to check.
 */
export async function readRequest(request: HttpRequest, route: Route, parts: Record<string, string>, principal: Principal): Promise<Given> {
  const issues: RestIssue[] = [];
  const given = {
    ...readParts(parts, issues),
    ...readQuery(route, new URL(request.url), issues),
    ...(route.members && readMembers(route, await readJson(request, bodyLimit(principal)), issues)),
  };
  if (issues.length > 0) throw invalid(issues);
  return given;
}

function readParts(parts: Record<string, string>, issues: RestIssue[]): Given {
  return Object.fromEntries(Object.entries(parts).map(([name, encoded]) => [name, decode(encoded, name, issues)]));
}

function decode(encoded: string, field: string | null, issues: RestIssue[]): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    issues.push({ field, message: "is not percent-encoded UTF-8" });
    return "";
  }
}

function readQuery({ query = {} }: Route, { search, searchParams }: URL, issues: RestIssue[]): Given {
  decode(search, null, issues);
  const parameters = new Map(Object.entries(query));
  const texts = new Map<string, string[]>();
  for (const [written, text] of searchParams) {
    const bare = written.replace(/\[\]$/, "");
    const name = parameters.get(bare)?.isList ? bare : written;
    if (parameters.has(name)) texts.set(name, [...(texts.get(name) ?? []), text]);
    else issues.push(unknown(written, "parameter"));
  }
  return Object.fromEntries(
    [...parameters].flatMap(([name, parameter]) => {
      const values = texts.get(name);
      if (!values && parameter.isRequired) issues.push({ field: name, message: "is required" });
      if (!values) return parameter.default === undefined ? [] : [[name, parameter.default]];
      const once = parameter.isList || values.length === 1;
      const value = once ? parameter.read(values) : undefined;
      if (value === undefined) issues.push({ field: name, message: once ? parameter.rule : "must be given once" });
      return [[name, value]];
    }),
  );
}

function readMembers({ members, required, lists }: Route, body: unknown, issues: RestIssue[]): Given {
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    issues.push({ field: null, message: "must be a JSON object" });
    return {};
  }
  const names = Object.keys(body);
  issues.push(...names.filter((name) => !members!.includes(name)).map((name) => unknown(name, "field")));
  issues.push(...required.filter((name) => !names.includes(name)).map((field) => ({ field, message: "is required" })));
  const given = body as Given;
  issues.push(
    ...lists.filter((name) => given[name] != null && !Array.isArray(given[name])).map((field) => ({ field, message: "must be a list" })),
  );
  return given;
}

function unknown(name: string, what: string): RestIssue {
  return NAME.test(name) ? { field: name, message: `is no ${what} of this route` } : { field: null, message: `has an unknown ${what}` };
}
