import { BANK_CUSTOMER_ROUTES } from "./bank-customer.routes.ts";
import { CUSTOMER_ROUTES } from "./customer.routes.ts";
import { DISCOVERY_ROUTES } from "./discovery.routes.ts";
import { MERCHANT_ROUTES } from "./merchant.routes.ts";
import type { Route } from "./route.ts";

/** Every REST route. */
export const ROUTES: readonly Route[] = [...BANK_CUSTOMER_ROUTES, ...CUSTOMER_ROUTES, ...DISCOVERY_ROUTES, ...MERCHANT_ROUTES];

/** The routes of a path, one a method, with what stands in the path's variable parts, still encoded. Empty: there is nothing. */
export function routesAt(pathname: string): { route: Route; parts: Record<string, string> }[] {
  const segments = pathname.split("/");
  return ROUTES.flatMap((route) => {
    const parts = partsOf(route.path.split("/"), segments);
    return parts ? [{ route, parts }] : [];
  });
}

/** Null: the path is another. */
function partsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const parts: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index]!;
    const name = /^\{(\w+)\}$/.exec(expected)?.[1];
    if (name === undefined ? segment !== expected : segment === "") return null;
    if (name !== undefined) parts[name] = segment;
  }
  return parts;
}
