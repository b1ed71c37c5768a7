import { z } from 'zod';
import type { Mode } from '../../lib/mode.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';

/** Why Pingr itself switched an endpoint off: the receiver answered 410, or every attempt of days failed. */
export type DisabledReason = 'gone' | 'failing';

/** An endpoint as stored. Ids are UUIDs; what is sealed is opened by {@link secretsOf} and {@link headersOf}. */
export interface WebhookEndpointRow {
  id: string;
  account_id: string;
  mode: Mode;
  url: string;
  description: string | null;
  /** Names of events, `*`, or prefixes such as `message.*`. */
  events: string[];
  /** Null means all sessions, and events that belong to none. */
  session_ids: string[] | null;
  headers: Uint8Array | null;
  secret: Uint8Array;
  previous_secret: Uint8Array | null;
  previous_secret_until: Date | null;
  enabled: boolean;
  disabled_reason: DisabledReason | null;
  /** When it was last switched off. */
  disabled_at: Date | null;
  failing_since: Date | null;
  /** The receiver asked to be left alone until then. */
  resting_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** What an endpoint signs with, sealed. */
type SealedSecrets = Pick<WebhookEndpointRow, 'id' | 'secret' | 'previous_secret' | 'previous_secret_until'>;

/** Binds a sealed secret to its endpoint. */
function secretPurpose(endpointId: string): string {
  return `webhook-secret:${endpointId}`;
}

function headersPurpose(endpointId: string): string {
  return `webhook-headers:${endpointId}`;
}

/** What the body that a receiver answered with is sealed under. */
export function responsePurpose(attemptId: string): string {
  return `webhook-response:${attemptId}`;
}

/** Seals a secret for storage with its endpoint. */
export function sealSecret(secret: string, endpointId: string, cipher: AccountCipher): Buffer {
  return cipher.seal(Buffer.from(secret), secretPurpose(endpointId));
}

/** The secrets that sign at an instant: the current one, and the previous one until its time is over. */
export function secretsOf(row: SealedSecrets, cipher: AccountCipher, at: Date): string[] {
  const { secret, previous_secret: previous, previous_secret_until: until } = row;
  const overlaps = previous !== null && until !== null && until > at;
  return [secret, ...(overlaps ? [previous] : [])].map((sealed) =>
    cipher.open(sealed, secretPurpose(row.id)).toString('utf8'),
  );
}

const storedHeaders = z.record(z.string(), z.string());

/** Seals the customer's own headers; null where there are none. */
export function sealHeaders(
  headers: Record<string, string>,
  endpointId: string,
  cipher: AccountCipher,
): Buffer | null {
  if (Object.keys(headers).length === 0) return null;
  return cipher.seal(Buffer.from(JSON.stringify(headers)), headersPurpose(endpointId));
}

/** The customer's own headers, by name as they wrote it. */
export function headersOf(
  row: Pick<WebhookEndpointRow, 'id' | 'headers'>,
  cipher: AccountCipher,
): Record<string, string> {
  if (row.headers === null) return {};
  return storedHeaders.parse(JSON.parse(cipher.open(row.headers, headersPurpose(row.id)).toString('utf8')));
}
