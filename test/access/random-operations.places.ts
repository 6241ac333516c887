import { getNamedType, isAbstractType, isInputObjectType, isObjectType, type GraphQLInputType } from "graphql";
import type { Mode } from "../../src/database/generated/enums.ts";
import { documentHash } from "../../src/documents/register.ts";
import { schema } from "../../src/graphql/schema.ts";
import { batchRow } from "../support/customers.ts";
import type { TestGateway } from "../support/gateway.ts";
import { makeMerchant, merchantRow } from "../support/merchants.ts";

/** What a bank has in one mode, by everything that can be named of it. */
export interface Place {
  name: string;
  key: string;
  keyId: string;
  bank: string;
  client: string;
  customerId: string;
  batchId: string;
  merchantsBatchId: string;
  endpointId: string;
  /** A device's global id, and its own. */
  device: string;
  deviceId: string;
  deliveryId: string;
  merchantId: string;
  /** Who asks for merchants is no bank: a provider's key, and its merchant. */
  providerKey: string;
  entityId: string;
  email: string;
  phrase: string;
  reference: string;
  clientRef: string;
  idempotencyKey: string;
  word: string;
  /** A cursor of each list. */
  cursors: {
    customers: string;
    batches: string;
    apiKeys: string;
    clients: string;
    documents: string;
    webhookEndpoints: string;
    webhookDeliveries: string;
    merchants: string;
    erasedCustomers: string;
  };
  documentHash: string;
  /** Texts that stand nowhere but here. */
  canaries: string[];
}

const EVERYTHING = new Map<string, string>();

/** A selection of all there is under a type, lists and connections included; only the root is not gone back to. */
export function everything(typename: string, depth = 3): string {
  const known = EVERYTHING.get(`${typename} ${depth}`);
  if (known !== undefined) return known;
  const type = schema.getType(typename)!;
  let selection = "";
  if (isAbstractType(type))
    selection = `{ __typename ${schema
      .getPossibleTypes(type)
      .map(({ name }) => `... on ${name} ${everything(name, depth)}`)
      .join(" ")} }`;
  else if (isObjectType(type)) {
    const fields = Object.values(type.getFields()).flatMap((field) => {
      const inner = getNamedType(field.type);
      const nested = isAbstractType(inner) || isObjectType(inner);
      // Members of a union may have fields of one name and several types.
      return nested && depth === 0 ? [] : [`${typename}_${field.name}: ${field.name} ${nested ? everything(inner.name, depth - 1) : ""}`];
    });
    selection = `{ ${["__typename", ...fields].join(" ")} }`;
  }
  EVERYTHING.set(`${typename} ${depth}`, selection);
  return selection;
}

/** Of every argument and input field by which something can be named, its path, e.g. `Query.customers.filter.ids`. */
export function namingArguments(): string[] {
  const NAMING = /^(ids?|keyId|emails?|phrases?|references?|clientRefs?|search|idempotencyKey|bank|client|deviceId|after|before)$/;
  const walk = (path: string, name: string, type: GraphQLInputType): string[] => {
    const named = getNamedType(type);
    if (isInputObjectType(named))
      return Object.values(named.getFields()).flatMap((field) => walk(`${path}.${field.name}`, field.name, field.type));
    return NAMING.test(name) || named.name === "ID" ? [path] : [];
  };
  return [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!].flatMap((root) =>
    Object.values(root.getFields()).flatMap((field) =>
      field.args.flatMap((arg) => walk(`${root.name}.${field.name}.${arg.name}`, arg.name, arg.type)),
    ),
  );
}

/** Fills one bank's mode, with a text of its own in everything that holds text. */
export async function fill(gateway: TestGateway, bank: string, mode: Mode): Promise<Place> {
  const name = `${bank}${mode.toLowerCase()}`;
  const client = `zq-client-${name}`;
  const key = await gateway.key({ bank, mode, client });
  const word = `zq${name}`;
  const rows = Array.from({ length: 3 }, (_, index) =>
    batchRow(index, {
      clientRef: `${word}-c${index}`,
      reference: `${word}-r${index}`,
      email: `${word}.${index}@example.com`,
      firstname: `${word}f`,
      lastname: `${word}l`,
      middlename: `${word}m`,
      accountName: `${word} ${word}n`,
      address: `${word} road`,
      state: `${word}s`,
      accountNumber: `${name.length}00${index}00${mode.length}00`,
    }),
  );
  const idempotencyKey = `${word}-once`;
  const { body } = await gateway.query(
    key,
    `mutation ($input: CreateCustomersBatchInput!) {
      createCustomersBatch(input: $input) { ... on BatchResult { id customers { nodes { id phrase email reference clientRef } } } } }`,
    { input: { customers: [...rows, { clientRef: `${word}-bad` }], idempotencyKey } },
  );
  const { id: batchId, customers } = body.data.createCustomersBatch;
  const shops = await gateway.query(
    key,
    `mutation ($input: CreateMerchantsBatchInput!) {
      createMerchantsBatch(input: $input) { ... on MerchantBatchResult { id merchantIds } } }`,
    {
      input: {
        merchants: [
          merchantRow(0, { clientRef: `${word}-c0`, email: `${word}.0@example.com`, reference: `${word}-r0`, name: `${word} shop` }),
        ],
        idempotencyKey,
      },
    },
  );
  const { id: merchantsBatchId, merchantIds } = shops.body.data.createMerchantsBatch;
  const hook = await gateway.query(
    key,
    `mutation { createWebhookEndpoint(input: { url: "https://${word}.example/", events: [CUSTOMER_BLACKLISTED], visibility: EXTENDED }) { ... on WebhookEndpointIssued { endpoint { id } } } }`,
  );
  const endpointId = hook.body.data.createWebhookEndpoint.endpoint.id as string;
  const deviceId = `${word} device 0`;
  const linked = await gateway.query(
    key,
    `mutation { linkDevice(input: { id: "${customers.nodes[0].id}", deviceId: "${deviceId}" }) { ... on Customer { devices { id } } } }`,
  );
  const device = linked.body.data.linkDevice.devices[0].id as string;
  for (const { id } of customers.nodes) {
    await gateway.query(key, `mutation { setBlacklist(input: { id: "${id}", blacklisted: true, note: "${word} note" }) { __typename } }`);
  }
  const { body: made } = await gateway.query(
    key,
    `mutation { createCustomer(input: { firstname: "${word}g", lastname: "${word}g", country: "NG", email: "${word}.gone@example.com" }) { ... on Customer { id phrase } } }`,
  );
  const gone = made.data.createCustomer as { id: string; phrase: string };
  await gateway.query(key, `mutation { eraseCustomer(input: { id: "${gone.id}" }) { __typename } }`);
  const text = `query ${word} { viewer { mode } }`;
  const document = { hash: documentHash(text), text };
  await gateway.query(key, "mutation ($input: PublishDocumentsInput!) { publishDocuments(input: $input) { __typename } }", {
    input: { client, documents: [document] },
  });
  const ends = await gateway.query(
    key,
    `query ($client: String!, $endpointId: ID!) { customers { pageInfo { startCursor } } batches { pageInfo { startCursor } } apiKeys { pageInfo { startCursor } }
      clients { pageInfo { startCursor } } documents(client: $client) { pageInfo { startCursor } } webhookEndpoints { pageInfo { startCursor } }
      webhookDeliveries(endpointId: $endpointId) { nodes { id } pageInfo { startCursor } } merchants { pageInfo { startCursor } } erasedCustomers { pageInfo { startCursor } } }`,
    { client, endpointId },
  );
  const provider = `${bank}-provider`;
  const providerKey = await gateway.key({ bank: provider, kind: "PROVIDER", mode });
  const entityId = await makeMerchant(gateway, provider, mode, "ENHANCED");
  const cursor = (list: string) => ends.body.data[list].pageInfo.startCursor as string;
  const [{ id: customerId, ...customer }] = customers.nodes;
  const keyId = key.split("_")[2]!;
  const ids = [...customers.nodes, gone].flatMap(({ id, phrase }: { id: string; phrase: string }) => [id, phrase]);
  return {
    name,
    key,
    keyId,
    bank,
    client,
    customerId,
    batchId,
    merchantId: merchantIds[0],
    providerKey,
    entityId,
    merchantsBatchId,
    endpointId,
    device,
    deviceId,
    deliveryId: ends.body.data.webhookDeliveries.nodes[0].id,
    ...customer,
    idempotencyKey,
    word,
    cursors: {
      customers: cursor("customers"),
      batches: cursor("batches"),
      apiKeys: cursor("apiKeys"),
      clients: cursor("clients"),
      documents: cursor("documents"),
      webhookEndpoints: cursor("webhookEndpoints"),
      webhookDeliveries: cursor("webhookDeliveries"),
      merchants: cursor("merchants"),
      erasedCustomers: cursor("erasedCustomers"),
    },
    documentHash: document.hash,
    canaries: [word, document.hash, client, keyId, batchId, merchantsBatchId, ...merchantIds, entityId, endpointId, device, ...ids],
  };
}

/** The names of what is nowhere; of the same form as what is somewhere. */
export function absent(): Omit<Place, "key" | "providerKey" | "canaries" | "name"> {
  const word = "zqnowhere";
  return {
    keyId: "0123456789abcdef",
    bank: "nowhere",
    client: "zq-client-nowhere",
    customerId: crypto.randomUUID(),
    batchId: `bat_${crypto.randomUUID()}`,
    merchantsBatchId: `mbt_${crypto.randomUUID()}`,
    endpointId: `whe_${crypto.randomUUID()}`,
    device: `dev_${crypto.randomUUID()}`,
    deviceId: `${word} device 0`,
    merchantId: `mer_${crypto.randomUUID()}`,
    entityId: `mer_${crypto.randomUUID()}`,
    deliveryId: `msg_${crypto.randomUUID()}`,
    email: `${word}.0@example.com`,
    phrase: "no-such-phrase",
    reference: `${word}-r0`,
    clientRef: `${word}-c0`,
    idempotencyKey: `${word}-once`,
    word,
    cursors: {
      customers: "AAAA",
      batches: "AAAA",
      apiKeys: "AAAA",
      clients: "AAAA",
      documents: "AAAA",
      webhookEndpoints: "AAAA",
      webhookDeliveries: "AAAA",
      merchants: "AAAA",
      erasedCustomers: "AAAA",
    },
    documentHash: "0".repeat(64),
  };
}
