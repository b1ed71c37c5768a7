import { createHmac } from 'node:crypto';

/** Begins every secret, as Standard Webhooks wants it. */
const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

export interface SignedWebhook {
  /** The event's id: the same in every try, so that the receiver knows a repeat. */
  id: string;
  /** When this try leaves. */
  at: Date;
  /** The very text that is sent. */
  body: string;
  /** `whsec_…`; several while one is being rotated out: each signs. */
  secrets: readonly string[];
}

/** Makes the secret of an endpoint: `whsec_` and 32 random bytes as base64. */
export function newWebhookSecret(randomBytes: (size: number) => Uint8Array): string {
  return PREFIX + Buffer.from(randomBytes(SECRET_BYTES)).toString('base64');
}

/**
 * Signs a webhook twice over: by Standard Webhooks (HMAC-SHA256 under the decoded secret over `id.timestamp.body`, as
 * base64), and for receivers that look at one header (HMAC-SHA256 under the secret as text over `timestamp.body`, as
 * hex, in the shape of Stripe's).
 * @throws Error for an id with a dot, which would make the signed text ambiguous, and without any usable secret
 */
export function signWebhook({ id, at, body, secrets }: SignedWebhook) {
  if (id.includes('.')) throw new Error('the id of a webhook may hold no dot');
  if (secrets.length === 0) throw new Error('a webhook needs a secret to sign with');
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const standard = secrets.map((secret) => {
    return `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
  });
  const single = secrets.map((secret) => {
    return `v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': standard.join(' '),
    'x-pingr-signature': [`t=${timestamp}`, ...single].join(','),
  };
}

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '', 'base64');
  if (key.length < 24) throw new Error('the secret is no webhook secret');
  return key;
}
