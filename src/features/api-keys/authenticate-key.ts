import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import { toId } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Notices } from '../../platform/db/notices.ts';
import type { Authenticate, Principal } from '../../platform/http/admission.ts';
import { inRanges, readRanges } from './address-ranges.ts';
import { keyErrors } from './api-keys.errors.ts';
import { API_KEY_CHANGED_CHANNEL } from './api-keys.events.ts';
import { keyStatus } from './api-keys.model.ts';
import { findKeyByHash, type KnownKey } from './api-keys.system.ts';
import type { HashKey } from './key-hash.ts';
import { keyMode } from './key-text.ts';
import type { KeyUsage } from './key-usage.ts';

/**
 * How long a key is believed without a look at the database. With a stream's own check each second, a revoked key
 * ends everywhere within two seconds even when the notice about it is lost.
 */
const BELIEVED_FOR_MS = 900;
const MOST_KEYS = 20_000;
/** Keys that do not exist have a cache of their own, so that a flood of them drives out no real one. */
const MOST_UNKNOWN = 5_000;

interface CachedKey {
  row: KnownKey;
  principal: Principal;
  ranges: ReturnType<typeof readRanges> | undefined;
}

export interface AuthenticatorDependencies {
  database: Database;
  notices: Pick<Notices, 'listen'>;
  hashKey: HashKey;
  usage: Pick<KeyUsage, 'used'>;
  clock: Clock;
  /** Default: short enough for the promise of two seconds. Tests give longer to see that the notice alone suffices. */
  believedForMs?: number;
  /** Told of each use of a key that exists but does not count: revoked, expired, or from elsewhere. */
  onRefused?: (key: Pick<KnownKey, 'id' | 'account_id' | 'mode'>, ip: string) => void;
}

/** Makes the check of keys: form and checksum first, then the hash, by a short-lived cache over the database. */
export async function createAuthenticator(deps: AuthenticatorDependencies): Promise<Authenticate> {
  const { database, notices, hashKey, usage, clock, believedForMs: ttl = BELIEVED_FOR_MS } = deps;
  const unknown = new LRUCache<string, true>({ max: MOST_UNKNOWN, ttl });
  const known = new LRUCache<string, CachedKey>({
    max: MOST_KEYS,
    ttl,
    fetchMethod: async (hash) => {
      const row = await database.systemOnce((tx) => findKeyByHash(tx, Buffer.from(hash, 'base64')));
      return row && cached(row);
    },
  });

  await notices.listen(API_KEY_CHANGED_CHANNEL, (keyId) => {
    for (const [hash, { row }] of known.entries()) {
      if (keyId === undefined || row.id === keyId) known.delete(hash);
    }
  });

  async function find(text: string): Promise<CachedKey> {
    if (keyMode(text) === undefined) throw keyErrors.invalid();
    const hash = hashKey(text).toString('base64');
    if (unknown.has(hash)) throw keyErrors.invalid();
    const found = known.get(hash) ?? (await known.fetch(hash));
    if (found !== undefined) return found;
    unknown.set(hash, true);
    throw keyErrors.invalid();
  }

  return async (text, ip) => {
    const { row, principal, ranges } = await find(text);
    const refused = refusalOf(row, ranges, ip, clock.now());
    if (refused !== undefined) {
      deps.onRefused?.(row, ip);
      throw refused();
    }
    usage.used(row.id);
    return principal;
  };
}

function refusalOf(
  row: KnownKey,
  ranges: CachedKey['ranges'],
  ip: string,
  at: Date,
): (typeof keyErrors)['revoked'] | undefined {
  const status = keyStatus(row, at);
  if (status === 'revoked') return keyErrors.revoked;
  if (status === 'expired') return keyErrors.expired;
  return ranges !== undefined && !inRanges(ip, ranges) ? keyErrors.addressNotAllowed : undefined;
}

function cached(row: KnownKey): CachedKey {
  return {
    row,
    ranges: row.allowed_ips === null ? undefined : readRanges(row.allowed_ips),
    principal: {
      accountId: row.account_id,
      mode: row.mode,
      actor: { type: 'api_key', id: row.id },
      scopes: new Set(row.scopes),
      logFields: { account: toId('account', row.account_id), key: toId('apiKey', row.id) },
    },
  };
}
