import type { Mode } from '../../lib/mode.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import type { ActiveHours } from './active-hours.ts';
import type { MatchRule } from './match-text.ts';

/** What a customer says about a trigger. Ids are UUIDs. */
export interface TriggerSettings extends MatchRule {
  name: string;
  /** Null for all sessions. */
  session_ids: string[] | null;
  /** With `{{variables}}`; null where nothing, or `reply_url`, answers. */
  reply: string | null;
  /** Is asked for the reply. */
  reply_url: string | null;
  /** With `{{variables}}`, where `reply_url` has no answer. */
  fallback_reply: string | null;
  /** Higher is asked first; among equals the older. */
  priority: number;
  /** For one sender. */
  cooldown_seconds: number;
  /** Null for always. */
  active_hours: ActiveHours | null;
  include_groups: boolean;
  /** Most automated replies to one sender in a row. */
  max_in_a_row: number;
  enabled: boolean;
}

/** A trigger as stored. */
export interface TriggerRow extends TriggerSettings {
  id: string;
  account_id: string;
  mode: Mode;
  /** Signs the question to `reply_url`; sealed. Null where there never was such a URL. */
  secret: Uint8Array | null;
  /** A `bigint`, as the driver gives it. */
  fired_count: string;
  last_fired_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** Whether it answers, rather than only raising an event. */
export function answers({ reply, reply_url }: Pick<TriggerSettings, 'reply' | 'reply_url'>): boolean {
  return reply !== null || reply_url !== null;
}

function secretPurpose(triggerId: string): string {
  return `trigger-secret:${triggerId}`;
}

/** Seals a secret for storage with its trigger. */
export function sealSecret(secret: string, triggerId: string, cipher: AccountCipher): Buffer {
  return cipher.seal(Buffer.from(secret), secretPurpose(triggerId));
}

/** The secret that signs questions to `reply_url`; null where there is none. */
export function secretOf(row: Pick<TriggerRow, 'id' | 'secret'>, cipher: AccountCipher): string | null {
  return row.secret && cipher.open(row.secret, secretPurpose(row.id)).toString('utf8');
}
