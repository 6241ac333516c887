import { mayReach, type Principal, within } from "../../access/principal.ts";
import { tallyOf } from "../../changes/tally.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import type { WebhookDelivery, WebhookEndpoint } from "../../database/generated/client.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { InvalidWebhookEndpoint, WebhookEndpointNotFound } from "./webhook.errors.ts";
import { type EndpointSettings, endpointIssues, type WebhookRules } from "./webhook.rules.ts";
import { sealSecret } from "./webhook.secret.ts";
import { newSecret } from "./webhook.signature.ts";
import { ENDPOINT_PREFIX, type IssuedEndpoint } from "./webhook.type.ts";

/** The most endpoints of a bank in one mode, and the longest that an older secret goes on, in seconds. */
export const MAX_ENDPOINTS = 100;
export const MAX_OVERLAP_SECONDS = 7 * 24 * 60 * 60;

const refused = (field: string | null, message: string) => new InvalidWebhookEndpoint([{ field, message }]);
const keyOf = ({ bankId, mode, id }: WebhookEndpoint) => ({ bankId_mode_id: { bankId, mode, id } });

/** Makes an endpoint. Throws InvalidWebhookEndpoint with every reason against it. */
export async function createEndpoint(
  tx: Transaction,
  keyring: Keyring,
  principal: Principal,
  settings: EndpointSettings,
  rules: WebhookRules,
  now: Date,
): Promise<IssuedEndpoint> {
  const issues = endpointIssues(principal, settings, rules);
  if (issues.length > 0) throw new InvalidWebhookEndpoint(issues);
  if ((await tx.webhookEndpoint.count({ where: within(principal) })) >= MAX_ENDPOINTS)
    throw refused(null, `there are ${MAX_ENDPOINTS} already`);
  const place = { ...within(principal), id: crypto.randomUUID() };
  const secret = newSecret();
  tallyOf(tx).subjects.add(place.id);
  const endpoint = await tx.webhookEndpoint.create({
    data: {
      ...place,
      url: settings.url,
      events: [...new Set(settings.events)],
      visibility: settings.visibility,
      secret: sealSecret(keyring, place, secret),
      createdBy: principal.keyId,
      createdAt: now,
    },
  });
  return { endpoint, secret };
}

/** Changes an endpoint; what is left out stays. Switched on, it starts anew. Throws WebhookEndpointNotFound, InvalidWebhookEndpoint. */
export async function updateEndpoint(
  tx: Transaction,
  principal: Principal,
  {
    id,
    enabled,
    ...given
  }: { id: string; enabled?: boolean | null } & { [Part in keyof EndpointSettings]?: EndpointSettings[Part] | null },
  rules: WebhookRules,
): Promise<WebhookEndpoint> {
  const endpoint = await findOwn(tx, principal, id);
  const nulls = Object.entries({ enabled, ...given }).filter(([, value]) => value === null);
  if (nulls.length > 0) throw new InvalidWebhookEndpoint(nulls.map(([field]) => ({ field, message: "must not be null" })));
  const { url, events, visibility } = { ...endpoint, ...stripUndefined(given) };
  const issues = endpointIssues(principal, { url, events, visibility }, rules);
  if (issues.length > 0) throw new InvalidWebhookEndpoint(issues);
  tallyOf(tx).subjects.add(endpoint.id);
  return tx.webhookEndpoint.update({
    where: keyOf(endpoint),
    data: {
      url,
      events: [...new Set(events)],
      visibility,
      ...(typeof enabled === "boolean" && { enabled }),
      ...(enabled === true && { disabledReason: null, failures: 0, restsUntil: null }),
    },
  });
}

/** Ends an endpoint, with its deliveries; its id. Throws WebhookEndpointNotFound, InvalidWebhookEndpoint. */
export async function deleteEndpoint(tx: Transaction, principal: Principal, id: string): Promise<string> {
  const endpoint = await findOwn(tx, principal, id);
  tallyOf(tx).subjects.add(endpoint.id);
  await tx.webhookEndpoint.delete({ where: keyOf(endpoint) });
  return endpoint.id;
}

/** Makes a new secret; the one before signs too for the overlap. Throws WebhookEndpointNotFound, InvalidWebhookEndpoint. */
export async function rotateSecret(
  tx: Transaction,
  keyring: Keyring,
  principal: Principal,
  { id, overlapSeconds }: { id: string; overlapSeconds: number },
  now: Date,
): Promise<IssuedEndpoint> {
  const found = await findOwn(tx, principal, id);
  if (overlapSeconds < 0 || overlapSeconds > MAX_OVERLAP_SECONDS)
    throw refused("overlapSeconds", `must be from 0 to ${MAX_OVERLAP_SECONDS}`);
  const secret = newSecret();
  tallyOf(tx).subjects.add(found.id);
  const endpoint = await tx.webhookEndpoint.update({
    where: keyOf(found),
    data: {
      secret: sealSecret(keyring, found, secret),
      oldSecret: found.secret,
      oldSecretUntil: new Date(now.getTime() + overlapSeconds * 1000),
    },
  });
  return { endpoint, secret };
}

/** Which deliveries to send again. */
export interface Replay {
  readonly endpointId: string;
  readonly ids?: readonly string[] | null;
  readonly from?: Date | null;
  readonly to?: Date | null;
}

/** Has settled deliveries sent again, under their ids and sequences; how many. Throws WebhookEndpointNotFound, InvalidWebhookEndpoint. */
export async function replayDeliveries(tx: Transaction, principal: Principal, { endpointId, ids, from, to }: Replay): Promise<number> {
  const endpoint = await findOwn(tx, principal, endpointId);
  if ((ids == null) === (from == null)) throw refused(ids == null ? "from" : "ids", "either ids or a time from which on must be given");
  const { count } = await tx.webhookDelivery.updateMany({
    where: {
      ...within(principal),
      endpointId: endpoint.id,
      state: { not: "PENDING" },
      ...(ids ? { id: { in: ids.map((id) => fromGlobalId("msg", id)).filter((id) => id !== null) } } : {}),
      ...(from ? { createdAt: { gte: from, ...(to && { lt: to }) } } : {}),
    },
    data: { state: "PENDING", attempts: 0, dueAt: new Date() },
  });
  tallyOf(tx).subjects.add(endpoint.id);
  return count;
}

/** Has a test message sent. Throws WebhookEndpointNotFound, InvalidWebhookEndpoint. */
export async function sendTest(tx: Transaction, principal: Principal, id: string, now: Date): Promise<WebhookDelivery> {
  const { bankId, mode, id: endpointId, enabled } = await findOwn(tx, principal, id);
  if (!enabled) throw refused("id", "is that of an endpoint that is switched off");
  const { _max: last } = await tx.webhookDelivery.aggregate({
    where: { bankId, mode, endpointId, subjectId: endpointId },
    _max: { sequence: true },
  });
  tallyOf(tx).subjects.add(endpointId);
  return tx.webhookDelivery.create({
    data: {
      bankId,
      mode,
      endpointId,
      subjectId: endpointId,
      id: crypto.randomUUID(),
      type: "TEST",
      sequence: (last.sequence ?? 0) + 1,
      createdAt: now,
      dueAt: now,
    },
  });
}

/**
 * An endpoint of the principal's bank and mode that shows no more than the principal may see, held until the transaction ends: else a key could turn
 * what another may see towards itself. Throws WebhookEndpointNotFound, InvalidWebhookEndpoint.
 */
async function findOwn(tx: Transaction, principal: Principal, globalId: string): Promise<WebhookEndpoint> {
  const { bankId, mode } = within(principal);
  const id = fromGlobalId(ENDPOINT_PREFIX, globalId);
  if (id === null) throw new WebhookEndpointNotFound();
  await tx.$queryRaw`
    SELECT 1 FROM webhook_endpoint WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ${id}::uuid FOR NO KEY UPDATE`;
  const endpoint = await tx.webhookEndpoint.findFirst({ where: { ...within(principal), id } });
  if (!endpoint) throw new WebhookEndpointNotFound();
  if (!mayReach(principal, endpoint.visibility)) throw refused("id", "is that of an endpoint that shows more than the asking key may see");
  return endpoint;
}

function stripUndefined<Part extends object>(part: Part): { [Key in keyof Part]?: NonNullable<Part[Key]> } {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as never;
}
