import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";

/** A real issuer: it publishes its keys over HTTP and changes them. */
const published: { keys: JWK[]; broken: boolean } = { keys: [], broken: false };
const server = createServer((_request, response) => {
  if (published.broken) return void response.writeHead(500).end();
  response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: published.keys }));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
afterAll(() => server.close());
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const gateway = await openGateway({
  jwtIssuers: [
    {
      issuer,
      audience: "customer-gateway",
      jwks: `${issuer}/jwks`,
      algorithms: ["ES256"],
      bank: { claim: "bank" },
      mode: { claim: "mode" },
      audienceOf: { claim: "audience" },
      scopes: {
        claim: "roles",
        map: { teller: ["customers:read:extended"], officer: ["customers:read:sensitive", "customers:blacklist"], root: "banks:manage" },
      },
    },
  ],
});

type SigningKey = { kid?: string; privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"] };

async function newKey(kid: string, alg = "ES256"): Promise<SigningKey & { jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

async function publishNewKey(kid: string, algorithm = "ES256"): Promise<SigningKey> {
  const key = await newKey(kid, algorithm);
  published.keys = [key.jwk];
  return key;
}

let key: SigningKey;
beforeAll(async () => {
  await gateway.key({ bank: "alpha" });
  key = await publishNewKey("first");
});

const claims = { bank: "alpha", mode: "sandbox", audience: "INTERNAL", roles: ["teller"] };

interface TokenOptions {
  signWith?: typeof key;
  algorithm?: string;
  iss?: string;
  aud?: string;
  exp?: string | number | null;
  sub?: string | null;
}

function token(
  payload: JWTPayload = claims,
  { signWith = key, algorithm = "ES256", iss = issuer, aud = "customer-gateway", exp = "5m", sub = "staff-7" }: TokenOptions = {},
) {
  const jwt = new SignJWT(payload)
    .setProtectedHeader({ alg: algorithm, ...(signWith.kid !== undefined && { kid: signWith.kid }) })
    .setIssuer(iss)
    .setAudience(aud);
  if (exp !== null) jwt.setExpirationTime(exp);
  if (sub !== null) jwt.setSubject(sub);
  return jwt.sign(signWith.privateKey);
}

const ask = async (bearer: string) => {
  const { status, body } = await gateway.query(bearer, "{ viewer { keyId bankId mode audience scopes visibility } }");
  return { status, viewer: body.data?.viewer };
};

test("a token's claims become the principal", async () => {
  expect(await ask(await token())).toEqual({
    status: 200,
    viewer: {
      keyId: expect.stringMatching(/^jwt-[0-9a-f]{24}$/),
      bankId: "alpha",
      mode: "SANDBOX",
      audience: "INTERNAL",
      scopes: ["customers:read", "customers:read:extended"],
      visibility: "EXTENDED",
    },
  });
  const { viewer } = await ask(await token({ ...claims, roles: ["officer"] }));
  expect(viewer.visibility).toBe("SENSITIVE");
});

test.each<[string, () => Promise<string>]>([
  ["expired", () => token(claims, { exp: Math.floor(Date.now() / 1000) - 60 })],
  ["without an end", () => token(claims, { exp: null })],
  ["without a subject", () => token(claims, { sub: null })],
  ["of another issuer", () => token(claims, { iss: "https://elsewhere.example" })],
  ["for another audience", () => token(claims, { aud: "something-else" })],
  ["of a bank that there is not", () => token({ ...claims, bank: "nowhere" })],
  ["of the operator", () => token({ ...claims, bank: "operator" })],
  ["without a bank", () => token({ ...claims, bank: undefined })],
  ["of a bank that is no text of PostgreSQL", () => token({ ...claims, bank: "alpha\0" })],
  ["of a bank that is half a character", () => token({ ...claims, bank: "\ud800" })],
  ["for an audience that every object has", () => token({ ...claims, audience: "constructor" })],
  ["for an audience that every object has by another name", () => token({ ...claims, audience: "toString" })],
  ["for a mode that there is not", () => token({ ...claims, mode: "__proto__" })],
  ["with an empty subject", () => token(claims, { sub: "" })],
  ["with a blank subject", () => token(claims, { sub: " " })],
  ["with an object for a subject", () => token({ ...claims, sub: { name: "staff" } as never }, { sub: null })],
  ["with a number for a subject", () => token({ ...claims, sub: 7 as never }, { sub: null })],
  ["without a known role", () => token({ ...claims, roles: ["visitor", "constructor", "__proto__"] })],
  ["that would run the gateway", () => token({ ...claims, roles: ["root"] })],
  [
    "signed by another's key of the same id",
    async () => token(claims, { signWith: { kid: "first", privateKey: (await generateKeyPair("ES256")).privateKey } }),
  ],
  [
    "unsigned",
    async () => new UnsecuredJWT(claims).setIssuer(issuer).setAudience("customer-gateway").setSubject("x").setExpirationTime("5m").encode(),
  ],
  [
    "changed",
    async () =>
      (await token()).replace(
        /\.[^.]+\./,
        `.${Buffer.from(JSON.stringify({ ...claims, iss: issuer, aud: "customer-gateway", sub: "x", exp: 9e9, roles: ["officer"] })).toString("base64url")}.`,
      ),
  ],
  ["that is no token", async () => "a.b.c"],
])("a token %s is refused like a wrong key", async (_what, make) => {
  const { status, body } = await gateway.query(await make(), "{ viewer { keyId } }");
  const { status: wrong, body: wrongBody } = await gateway.query("cgw_sandbox_0", "{ viewer { keyId } }");
  expect([status, body]).toEqual([wrong, wrongBody]);
});

test("a token that names no key is tried with each that the issuer publishes", async () => {
  const mine = published.keys;
  const [one, two, stranger] = await Promise.all(["one", "two", "three"].map((kid) => newKey(kid)));
  published.keys = [...mine, one!.jwk, two!.jwk];
  // An unknown key id has the keys fetched anew.
  await expect.poll(async () => (await ask(await token(claims, { signWith: two! }))).status).toBe(200);
  for (const { privateKey } of [one!, two!]) expect((await ask(await token(claims, { signWith: { privateKey } }))).status).toBe(200);
  expect((await ask(await token(claims, { signWith: { privateKey: stranger!.privateKey } }))).status).toBe(401);
  expect((await ask(await token(claims, { signWith: { privateKey: one!.privateKey }, aud: "something-else" }))).status).toBe(401);
  published.keys = mine;
});

test("an algorithm that is not listed is refused", async () => {
  const other = await publishNewKey("rsa", "RS256");
  expect((await ask(await token(claims, { signWith: other, algorithm: "RS256" }))).status).toBe(401);
});

test("the issuer's new key is taken up, and what the old one signed ends with it", async () => {
  const old = await token();
  key = await publishNewKey("second");
  await expect.poll(async () => (await ask(await token())).status).toBe(200);
  expect((await ask(old)).status).toBe(401);
});

test("no token stops the audit", async () => {
  const id = crypto.randomUUID();
  await gateway.query(
    await token({ ...claims, audience: "constructor" }),
    "{ customers(filter: { emails: [] }) { totalCount } batches { nodes { id } } }",
  );
  await gateway.query(await gateway.key({ scopes: ["audit:read"] }), "{ customers { totalCount } }", {}, { "x-request-id": id });
  await expect.poll(() => gateway.app.services.db.auditEntry.count({ where: { requestId: id, action: "REFUSAL" } })).toBeGreaterThan(0);
});

test("an issuer that does not answer is UNAVAILABLE, not a wrong key, and API keys go on", async () => {
  published.broken = true;
  const unknown = await publishNewKey("third");
  const answer = async () => gateway.query(await token(claims, { signWith: unknown }), "{ viewer { keyId } }");
  await expect.poll(async () => (await answer()).status).toBe(503);
  expect((await answer()).body.errors![0]!.extensions.code).toBe("UNAVAILABLE");
  expect((await ask(await gateway.key())).status).toBe(200);
  published.broken = false;
});
