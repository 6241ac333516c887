/** Headers of every answer: nothing here is for other sites' frames, caches or guesses, and nothing but GraphiQL runs or loads anything. */
const ALWAYS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "private, no-store",
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
};

/** A year: browsers that came once by HTTPS never come without. Only production has HTTPS in front. */
const HSTS = { "strict-transport-security": "max-age=31536000" };

/** Sets on answers what they do not say themselves, as GraphiQL's page does with the policy that lets its own script run. */
export function createSecurityHeaders(production: boolean): (headers: Headers) => void {
  const all = Object.entries({ ...ALWAYS, ...(production && HSTS) });
  return (headers) => {
    for (const [name, value] of all) if (!headers.has(name)) headers.set(name, value);
  };
}
