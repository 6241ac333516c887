/** The prefix of a merchant's global id, which is its id as a tenant too. */
export const MERCHANT_PREFIX = "mer";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A global id from a type's prefix, e.g. `bat`, and a row's UUID. A customer's has no prefix. */
export function toGlobalId(prefix: string, uuid: string): string {
  return prefix ? `${prefix}_${uuid}` : uuid;
}

/** The UUID in a global id of the given type, or null for any other text. Upper-case hex is accepted. */
export function fromGlobalId(prefix: string, id: string): string | null {
  const lead = prefix && `${prefix}_`;
  const uuid = id.slice(lead.length).toLowerCase();
  return id.startsWith(lead) && UUID.test(uuid) ? uuid : null;
}
