import { type DocumentNode, parse } from "graphql";
import { type Identity, within } from "../../access/principal.ts";
import { CUSTOMER_FIELD_NAMES, CUSTOMER_FIELDS, type CustomerFieldName, reaches, SCOPE_OF_VISIBILITY } from "../../access/visibility.ts";
import { GATEWAY_ACTOR } from "../../changes/record-change.ts";
import type { Database } from "../../database/client.ts";
import type { WebhookDelivery, WebhookEndpoint } from "../../database/generated/client.ts";
import type { Visibility } from "../../database/generated/enums.ts";
import { toGlobalId } from "../../graphql/global-id.ts";

/** Runs a query as a principal. */
export type Read = (identity: Identity, document: DocumentNode, variables: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** A message's id, the same however often it is sent. */
export const messageId = (uuid: string) => toGlobalId("msg", uuid);

/** `CUSTOMER_CREATED` as messages have it: `customer.created`. */
export const typeInMessages = (type: WebhookDelivery["type"]) => type.toLowerCase().replace("_", ".");

const shows = (visibility: Visibility, field: string) =>
  Object.hasOwn(CUSTOMER_FIELDS, field) && reaches(visibility, CUSTOMER_FIELDS[field as CustomerFieldName].tier);

/** What has parts of its own, and which; what has entries of its own in the API is left to it. */
const PARTS: Partial<Record<CustomerFieldName, string | null>> = {
  consent: "{ source at textVersion }",
  blacklist: null,
  history: null,
  devices: null,
};

const selections = (visibility: Visibility) =>
  CUSTOMER_FIELD_NAMES.filter((name) => shows(visibility, name) && PARTS[name] !== null).map((name) => `${name} ${PARTS[name] ?? ""}`);

const customerQuery = (visibility: Visibility) =>
  parse(`query WebhookCustomer($id: ID!) { customer(by: { id: $id }) { ${selections(visibility).join(" ")} } }`);

const CUSTOMER: Record<Visibility, DocumentNode> = {
  STANDARD: customerQuery("STANDARD"),
  EXTENDED: customerQuery("EXTENDED"),
  SENSITIVE: customerQuery("SENSITIVE"),
};

const BATCH = parse(`query WebhookBatch($id: ID!) {
  batch(id: $id) { id status dryRun createdAt completedAt summary { total successful failed duplicates invalidData pending rolledBack } }
}`);

/**
 * A message's body. Its values are read now, as a key of the endpoint's visibility would be shown them: so what is stored
 * until then holds none, a message that is late tells no old ones, and an erased customer is null.
 */
export async function messageBody(db: Database, read: Read, endpoint: WebhookEndpoint, delivery: WebhookDelivery): Promise<string> {
  const timed = reaches(endpoint.visibility, CUSTOMER_FIELDS.updatedAt.tier);
  const message = {
    type: typeInMessages(delivery.type),
    // To who may not see when a customer was changed, the time of the try must do, which leads the signature.
    ...(timed && { timestamp: delivery.createdAt.toISOString() }),
    data: { bankId: endpoint.bankId, mode: endpoint.mode, ...(await dataOf(db, read, endpoint, delivery)) },
  };
  return JSON.stringify(message);
}

async function dataOf(db: Database, read: Read, endpoint: WebhookEndpoint, delivery: WebhookDelivery): Promise<object> {
  const { subjectId, sequence, version, type } = delivery;
  const identity = subscriberOf(endpoint);
  if (type === "TEST") return { webhookEndpointId: toGlobalId("whe", endpoint.id) };
  if (type === "BATCH_COMPLETED") return batchData(db, read, identity, subjectId);
  const event =
    version === null ? null : await db.customerEvent.findFirst({ where: { ...within(identity), customerId: subjectId, version } });
  const { visibility } = endpoint;
  return {
    customerId: subjectId,
    sequence,
    ...(shows(visibility, "version") && { version }),
    ...(type === "CUSTOMER_UPDATED" && { changed: (event?.changed ?? []).filter((field) => shows(visibility, field)) }),
    ...(shows(visibility, "history") && event && { reason: event.reason, actor: event.actor, expiresAt: event.expiresAt }),
    ...(await read(identity, CUSTOMER[visibility], { id: subjectId })),
  };
}

/** Of a batch of merchants its id alone: no visibility of customers shows it, and who holds `merchants:write` reads it. */
async function batchData(db: Database, read: Read, identity: Identity, id: string): Promise<object> {
  const batch = await db.batch.findFirst({ where: { ...within(identity), id }, select: { kind: true } });
  if (batch?.kind === "MERCHANT") return { merchantsBatchId: toGlobalId("mbt", id) };
  return read(identity, BATCH, { id: toGlobalId("bat", id) });
}

/** Whose eyes a message is made for. */
function subscriberOf({ bankId, mode, visibility }: WebhookEndpoint): Identity {
  return {
    keyId: GATEWAY_ACTOR,
    tenantId: bankId,
    tenantKind: "BANK",
    trustLevel: null,
    providerId: null,
    mode,
    audience: "INTERNAL",
    clientId: null,
    clientAccess: "OPEN",
    clientCostLimit: null,
    expiresAt: null,
    scopes: [SCOPE_OF_VISIBILITY[visibility]],
  };
}
