import type { WithheldField } from "../../access/redaction.ts";
import { genderToRest } from "./gender.ts";
import { pageMeta } from "./pages.ts";
import type { Given, Route, Shape } from "./route.ts";

/** A field that was asked for and withheld: a member of `data`, or of each thing in it, that is null, and what it takes to see it. */
export interface WithheldMember {
  readonly field: string;
  readonly requires: string;
}

interface Connection {
  readonly nodes: readonly Given[];
  readonly totalCount?: number;
}

/** The body of an answer: the route's shape made of what its document's one root field gave. */
export function successBody(route: Route, given: Given, result: Given, withheld: readonly WithheldField[]): unknown {
  const { shape, status, size } = route;
  if (shape.kind === "bare") return (result as unknown as Connection).nodes.map(toRest);
  const { totalCount } = result as unknown as Connection;
  return {
    statusCode: status,
    success: true,
    message: typeof route.message === "string" ? route.message : route.message(result, given),
    data: dataOf(shape, result),
    ...(shape.kind === "page" && { meta: pageMeta(totalCount!, given["page"] as number, given[size!] as number) }),
    ...(withheld.length > 0 && { visibility: withheld.map(toMember) }),
  };
}

function dataOf(shape: Exclude<Shape, { kind: "bare" }>, result: Given | readonly Given[]): unknown {
  if (shape.kind === "one") return nested(toRest(result as Given), shape.nest ?? {});
  return (shape.kind === "list" ? (result as readonly Given[]) : (result as unknown as Connection).nodes).map(toRest);
}

const toMember = ({ path, requires }: WithheldField): WithheldMember => ({ field: path.at(-1)!, requires });

/** A result as REST tells it: the name of its type left out, gender in lower case. */
function toRest({ __typename, ...thing }: Given): Given {
  return typeof thing["gender"] === "string" ? { ...thing, gender: genderToRest(thing["gender"]) } : thing;
}

function nested(thing: Given, nest: Readonly<Record<string, readonly string[]>>): Given {
  const inner = new Set(Object.values(nest).flat());
  return {
    ...Object.fromEntries(Object.entries(thing).filter(([name]) => !inner.has(name))),
    ...Object.fromEntries(
      Object.entries(nest).map(([name, members]) => [name, Object.fromEntries(members.map((one) => [one, thing[one]]))]),
    ),
  };
}
