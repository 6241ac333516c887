import type { WithheldField } from "../../access/redaction.ts";
import { genderToRest } from "./gender.ts";
import { pageMeta } from "./pages.ts";
import type { Given, Route } from "./route.ts";

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
  const { nodes, totalCount } = result as unknown as Connection;
  const data = shape.kind === "page" ? nodes.map(toRest) : nested(toRest(result), shape.nest ?? {});
  return {
    statusCode: status,
    success: true,
    message: typeof route.message === "string" ? route.message : route.message(result, given),
    data,
    ...(shape.kind === "page" && { meta: pageMeta(totalCount!, given["page"] as number, given[size!] as number) }),
    ...(withheld.length > 0 && { visibility: withheld.map(toMember) }),
  };
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
