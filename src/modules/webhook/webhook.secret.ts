import type { Keyring } from "../../crypto/keyring.ts";
import type { WebhookEndpoint } from "../../database/generated/client.ts";

type Place = Pick<WebhookEndpoint, "bankId" | "mode" | "id">;

/** What binds an encrypted secret to its endpoint. */
export const secretContext = ({ bankId, mode, id }: Place) => JSON.stringify(["webhook.secret", bankId, mode, id]);

/** A secret as it is stored. */
export function sealSecret(keyring: Keyring, place: Place, secret: string): Uint8Array<ArrayBuffer> {
  return keyring.seal("encryption", secret, secretContext(place));
}

/** The secrets that sign at a time, newest first. */
export function secretsOf(
  keyring: Keyring,
  endpoint: Place & Pick<WebhookEndpoint, "secret" | "oldSecret" | "oldSecretUntil">,
  at: Date,
): string[] {
  const { secret, oldSecret, oldSecretUntil } = endpoint;
  const open = (sealed: Uint8Array) => keyring.open("encryption", sealed, secretContext(endpoint));
  return oldSecret && oldSecretUntil && oldSecretUntil > at ? [open(secret), open(oldSecret)] : [open(secret)];
}
