import { getNamedType, type GraphQLInputObjectType, type GraphQLInputType, isInputObjectType, isListType, isNonNullType } from "graphql";
import { expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.ts";
import { openGateway } from "../support/gateway.ts";

/** What only the gateway decides, under every name that a column or a field has. */
const FORBIDDEN = [
  "id",
  "bankId",
  "bank_id",
  "bank",
  "tenantId",
  "mode",
  "version",
  "createdAt",
  "created_at",
  "updatedAt",
  "blacklisted",
  "phrase",
  "actor",
  "secretHash",
  "trustLevel",
  "kind",
  "providerId",
  "keyId",
];

/** Where such a name says which thing is meant, or is what the mutation is for; anything else sets nothing. */
const ALLOWED = [
  "UpdateCustomerInput.id",
  "SetBlacklistInput.id",
  "SetTrustLevelInput.id",
  "EraseCustomerInput.id",
  "SetConsentInput.id",
  "LinkDeviceInput.id",
  "UnlinkDeviceInput.id",
  "SetBlacklistInput.blacklisted",
  "SetTrustLevelInput.trustLevel",
  "RevokeApiKeyInput.id",
  "RotateApiKeyInput.id",
  "UpdateWebhookEndpointInput.id",
  "DeleteWebhookEndpointInput.id",
  "RotateWebhookSecretInput.id",
  "SendWebhookTestInput.id",
  "CreateApiKeyInput.bank",
  "CreateApiKeyInput.mode",
  "CreateApiKeyInput.kind",
];

const gateway = await openGateway();
const key = await gateway.key();

interface Place {
  mutation: string;
  argument: string;
  argumentType: string;
  type: GraphQLInputObjectType;
  /** The argument's value with an object of `type` in it that has one member more. */
  value(extra: object): unknown;
}

/** Every input object that an argument of a mutation can hold, and how to reach it. */
const places: Place[] = Object.values(schema.getMutationType()!.getFields()).flatMap((field) =>
  field.args.flatMap((argument) =>
    reach(argument.type, []).map(({ type, path }) => ({
      mutation: field.name,
      argument: argument.name,
      argumentType: String(argument.type),
      type,
      value: (extra: object) => sample(argument.type, path, extra),
    })),
  ),
);

function reach(type: GraphQLInputType, path: string[]): { type: GraphQLInputObjectType; path: string[] }[] {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) return [];
  return [{ type: named, path }, ...Object.values(named.getFields()).flatMap((field) => reach(field.type, [...path, field.name]))];
}

/** A value of a type with only what is required, and what is on the path, at whose end `extra` is added. */
function sample(type: GraphQLInputType, path: string[] | null, extra: object): unknown {
  if (isNonNullType(type)) return sample(type.ofType, path, extra);
  if (isListType(type)) return [sample(type.ofType, path, extra)];
  if (!isInputObjectType(type))
    return (
      { ID: "x", Boolean: true, Int: 1, String: "x" }[String(type)] ??
      (type as { getValues?: () => { name: string }[] }).getValues?.()[0]!.name
    );
  const entries = Object.values(type.getFields())
    .filter((field) => isNonNullType(field.type) || field.name === path?.[0])
    .map((field) => [field.name, sample(field.type, field.name === path?.[0] ? path.slice(1) : null, extra)] as const);
  return Object.assign(Object.fromEntries(entries), path?.length === 0 ? extra : {});
}

const send = ({ mutation, argument, argumentType }: Place, value: unknown) =>
  gateway.query(key, `mutation ($value: ${argumentType}) { ${mutation}(${argument}: $value) { __typename } }`, { value });

test("inputs of mutations are found, and taken as they are", async () => {
  expect(new Set(places.map(({ type }) => type.name)).size).toBeGreaterThanOrEqual(8);
  for (const place of places)
    expect((await send(place, place.value({}))).body.errors, `${place.mutation} ${place.type.name}`).toBeUndefined();
});

test.each(places)("$mutation: $type.name takes nothing that only the gateway decides", async (place) => {
  for (const name of FORBIDDEN) {
    if (ALLOWED.includes(`${place.type.name}.${name}`)) continue;
    gateway.statements.length = 0;
    const { body } = await send(place, place.value({ [name]: "alpha" }));
    expect(body.errors?.[0]!.extensions.code, `${place.type.name}.${name}`).toBe("BAD_USER_INPUT");
    expect(body.errors![0]!.message).toContain(`Field "${name}" is not defined by type "${place.type.name}".`);
    expect([
      body.data ?? null,
      gateway.statements.filter((sql) => /^\s*(INSERT|UPDATE|DELETE)/.test(sql) && !sql.includes("last_used_at")),
    ]).toEqual([null, []]);
  }
});

test("the list of exceptions holds nothing that is not there", () => {
  const names = places.flatMap(({ type }) => Object.keys(type.getFields()).map((name) => `${type.name}.${name}`));
  expect(ALLOWED.filter((name) => !names.includes(name))).toEqual([]);
});
