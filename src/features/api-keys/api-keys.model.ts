import type { Mode } from '../../lib/mode.ts';

/** A key as stored; the key itself is not. */
export interface ApiKeyRow {
  id: string;
  account_id: string;
  mode: Mode;
  name: string;
  hint: string;
  scopes: string[];
  /** Canonical CIDRs; null allows every address. */
  allowed_ips: string[] | null;
  expires_at: Date | null;
  revoked_at: Date | null;
  rotated_to: string | null;
  last_used_at: Date | null;
  created_at: Date;
}

export type KeyStatus = 'active' | 'revoked' | 'expired';

/** What a key is good for at an instant. Revocation counts before expiry. */
export function keyStatus(key: Pick<ApiKeyRow, 'revoked_at' | 'expires_at'>, at: Date): KeyStatus {
  if (key.revoked_at !== null) return 'revoked';
  return key.expires_at !== null && key.expires_at <= at ? 'expired' : 'active';
}

/** When a rotated key ends: after the overlap, or when it would have ended anyway if that is sooner. */
export function endOfOverlap(expiresAt: Date | null, at: Date, overlapSeconds: number): Date {
  const end = new Date(at.getTime() + overlapSeconds * 1000);
  return expiresAt !== null && expiresAt < end ? expiresAt : end;
}
