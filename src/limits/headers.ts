import type { Charge } from "./charge.ts";
import type { Quota, Standing } from "./quota.ts";

/**
 * Says in an answer what is left of the minute's points, and of the hour's look-ups if the request made one: in
 * `X-RateLimit-*`, and in `RateLimit` and `RateLimit-Policy`, which are structured fields. After a refusal also when to
 * come again. Sources: contract §5; draft-ietf-httpapi-ratelimit-headers; RFC 9110, section 10.2.3.
 */
export function tellLimits(headers: Headers, { limits, points, lookups, retryAfter }: Charge): void {
  headers.set("x-ratelimit-limit", String(points.limit));
  headers.set("x-ratelimit-remaining", String(points.remaining));
  headers.set("x-ratelimit-reset", String(points.reset));
  headers.set("ratelimit-policy", [limits.points, limits.lookups].map(policyItem).join(", "));
  headers.set("ratelimit", [standingItem(limits.points, points), ...(lookups ? [standingItem(limits.lookups, lookups)] : [])].join(", "));
  if (retryAfter !== null) headers.set("retry-after", String(retryAfter));
}

const policyItem = ({ policy: { name, limit, windowSeconds } }: Quota) => `"${name}";q=${limit};w=${windowSeconds}`;

const standingItem = (quota: Quota, standing: Standing) =>
  `"${quota.policy.name}";r=${standing.remaining};t=${quota.secondsUntil(standing)}`;
