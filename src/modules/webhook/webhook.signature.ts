import { createHmac, randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";

/** A new secret, as it is shown once: 256 random bits. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** A message as it is sent. */
export interface SignedMessage {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/**
 * The headers that prove where a message comes from: those of the Standard Webhooks scheme, with a signature by each secret,
 * newest first, and `X-Signature` of the source documents, HMAC-SHA256 in hex of the body by the secret as it is shown. While an older secret
 * still stands, `X-Signature` is by that one, so that who knows only it goes on, and `X-Signature-Next` is by the newest.
 */
export function signatureHeaders({ id, at, body }: SignedMessage, secrets: readonly string[]): Record<string, string> {
  const plain = (secret: string) => createHmac("sha256", secret).update(body).digest("hex");
  const [newest, older] = secrets as [string, string?];
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" "),
    "x-signature": plain(older ?? newest),
    ...(older !== undefined && { "x-signature-next": plain(newest) }),
  };
}
