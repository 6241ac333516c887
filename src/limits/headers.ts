import type { Charge } from "./charge.ts";
import type { Quota, Standing } from "./quota.ts";

/**
 * Says in an answer what is left of the minute's points, of the hour's look-ups and of a merchant's discoveries if the request made one: in
 * `X-RateLimit-*`, and in `RateLimit` and `RateLimit-Policy`, which are structured fields. After a refusal also when to
 * come again. Sources: contract §5; draft-ietf-httpapi-ratelimit-headers; RFC 9110, section 10.2.3.
 */
export function tellLimits(headers: Headers, { limits, points, lookups, discoveries, retryAfter }: Charge): void {
  // Every key has look-ups; discoveries has only who asks for a merchant.
  const policies = [policyItem(limits.points, points.limit), policyItem(limits.lookups)];
  const standings = [standingItem(limits.points, points)];
  if (lookups) standings.push(standingItem(limits.lookups, lookups));
  if (discoveries) {
    policies.push(policyItem(limits.discoveries, discoveries.limit));
    standings.push(standingItem(limits.discoveries, discoveries));
  }
  headers.set("x-ratelimit-limit", String(points.limit));
  headers.set("x-ratelimit-remaining", String(points.remaining));
  headers.set("x-ratelimit-reset", String(points.reset));
  headers.set("ratelimit-policy", policies.join(", "));
  headers.set("ratelimit", standings.join(", "));
  if (retryAfter !== null) headers.set("retry-after", String(retryAfter));
}

const policyItem = ({ policy }: Quota, limit = policy.limit) => `"${policy.name}";q=${limit};w=${policy.windowSeconds}`;

const standingItem = (quota: Quota, standing: Standing) =>
  `"${quota.policy.name}";r=${standing.remaining};t=${quota.secondsUntil(standing)}`;
