import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { type AccountScope, type AccountTx, bothModes } from '../../platform/db/scope.ts';
import { requestErrors } from '../../platform/http/http.errors.ts';
import { apiKeyErrors } from './api-keys.errors.ts';
import { API_KEY_CHANGED_CHANNEL } from './api-keys.events.ts';
import { type ApiKeyRow, endOfOverlap, keyStatus } from './api-keys.model.ts';
import * as store from './api-keys.store.ts';
import type { HashKey } from './key-hash.ts';
import { type KeyLimits, limitsWithin, NO_LIMITS, refuseWiderLimits } from './key-limits.ts';
import { keyHint, newKeyText } from './key-text.ts';
import { scopesBeyond } from './scopes.ts';

export interface NewKey {
  name: string;
  mode: Mode;
  scopes: readonly string[];
  expiresAt?: Date | undefined;
  /** Canonical CIDRs. */
  allowedIps?: readonly string[] | undefined;
}

/** A key with its text, which is known this once. */
export interface IssuedKey {
  row: ApiKeyRow;
  text: string;
}

/**
 * The use cases of API keys. Ids are UUIDs. A test key sees and makes test keys only; a live key, which could make
 * itself test keys, manages both modes.
 */
export interface ApiKeysService {
  /** Makes a key without asking who wants it: for operators and the first start. */
  issue(accountId: string, key: NewKey): Promise<IssuedKey>;
  /**
   * Mode, scopes, end and addresses default to the caller's, and go no further.
   * @throws api_key.mode_forbidden, api_key.scope_forbidden, api_key.limits_forbidden, request.invalid
   */
  create(
    ctx: Context,
    key: Omit<NewKey, 'mode' | 'scopes'> & Partial<Pick<NewKey, 'mode' | 'scopes'>>,
  ): Promise<IssuedKey>;
  list(ctx: Context, page: { limit: number; after?: string | undefined }): Promise<ApiKeyRow[]>;
  /** @throws api_key.not_found */
  get(ctx: Context, id: string): Promise<ApiKeyRow>;
  /**
   * Ends a key everywhere within two seconds, whatever it may do: what takes power away must not wait for somebody who
   * has more. @throws api_key.not_found */
  revoke(ctx: Context, id: string): Promise<void>;
  /**
   * Makes a key like this one and lets this one live on for the overlap.
   * @throws api_key.not_found, api_key.not_active, api_key.scope_forbidden, api_key.limits_forbidden
   */
  rotate(ctx: Context, id: string, overlapSeconds: number): Promise<IssuedKey>;
}

export interface ApiKeysDependencies {
  database: Database;
  hashKey: HashKey;
  newUuid: NewUuid;
  randomBytes: (size: number) => Uint8Array;
  clock: Clock;
}

export function createApiKeysService(deps: ApiKeysDependencies): ApiKeysService {
  const { database, clock } = deps;
  return {
    issue: (accountId, key) =>
      database.accountOnce({ accountId }, (tx) => insertNew(deps, tx, accountId, key)),

    async create(ctx, { mode = ctx.mode, scopes = [...ctx.scopes], ...key }) {
      if (mode === 'live' && ctx.mode === 'test') {
        throw apiKeyErrors.modeForbidden({
          fields: [{ pointer: '/mode', detail: 'must be test, as the mode of the calling key' }],
        });
      }
      refuseWiderScopes(ctx, scopes);
      refusePast(key.expiresAt, clock.now());
      return database.account(visibleTo(ctx), async (tx) => {
        const asked = { expires_at: key.expiresAt ?? null, allowed_ips: listOf(key.allowedIps) };
        const limits = limitsWithin(await limitsOfCaller(tx, ctx), asked);
        return insertNew(deps, tx, ctx.accountId, { name: key.name, mode, scopes, ...limitsOf(limits) });
      });
    },

    list: (ctx, page) => database.accountOnce(visibleTo(ctx), (tx) => store.listKeys(tx, page)),

    get: async (ctx, id) =>
      existing(await database.accountOnce(visibleTo(ctx), (tx) => store.findKey(tx, id))),

    revoke: (ctx, id) =>
      database.account(visibleTo(ctx), async (tx) => {
        if (!(await store.revokeKey(tx, id, clock.now()))) throw apiKeyErrors.notFound();
        await tellOthers(tx, id);
      }),

    rotate: (ctx, id, overlapSeconds) =>
      database.account(visibleTo(ctx), async (tx) => {
        const old = existing(await store.lockKey(tx, id));
        if (old.rotated_to !== null || keyStatus(old, clock.now()) !== 'active')
          throw apiKeyErrors.notActive();
        // A key that could rotate a stronger one would be handed its rights.
        refuseWiderScopes(ctx, old.scopes);
        refuseWiderLimits(await limitsOfCaller(tx, ctx), old);
        const issued = await insertNew(deps, tx, ctx.accountId, likeOld(old));
        const end = endOfOverlap(old.expires_at, clock.now(), overlapSeconds);
        await store.endKey(tx, id, issued.row.id, end);
        await tellOthers(tx, id);
        return issued;
      }),
  };
}

async function insertNew(
  { hashKey, newUuid, randomBytes, clock }: ApiKeysDependencies,
  tx: AccountTx,
  accountId: string,
  key: NewKey,
): Promise<IssuedKey> {
  const text = newKeyText(key.mode, randomBytes);
  const row = await store.insertKey(tx, {
    id: newUuid(),
    account_id: accountId,
    mode: key.mode,
    name: key.name,
    hash: hashKey(text),
    hint: keyHint(text),
    scopes: [...new Set(key.scopes)],
    allowed_ips: listOf(key.allowedIps),
    expires_at: key.expiresAt ?? null,
    created_at: clock.now(),
  });
  return { row, text };
}

function likeOld({ name, mode, scopes, ...limits }: ApiKeyRow): NewKey {
  return { name, mode, scopes, ...limitsOf(limits) };
}

function limitsOf({ expires_at, allowed_ips }: KeyLimits): Pick<NewKey, 'expiresAt' | 'allowedIps'> {
  return { expiresAt: expires_at ?? undefined, allowedIps: allowed_ips ?? undefined };
}

function listOf(ips: readonly string[] | undefined): string[] | null {
  return ips === undefined ? null : [...ips];
}

async function limitsOfCaller(tx: AccountTx, { actor }: Context): Promise<KeyLimits> {
  if (actor.type !== 'api_key') return NO_LIMITS;
  return existing(await store.findKey(tx, actor.id));
}

function refusePast(expiresAt: Date | undefined, now: Date): void {
  if (expiresAt === undefined || expiresAt > now) return;
  throw requestErrors.invalid({ fields: [{ pointer: '/expires_at', detail: 'must be in the future' }] });
}

function visibleTo(ctx: Context): AccountScope {
  return ctx.mode === 'live' ? bothModes(ctx) : ctx;
}

function existing(row: ApiKeyRow | undefined): ApiKeyRow {
  if (row === undefined) throw apiKeyErrors.notFound();
  return row;
}

function refuseWiderScopes(ctx: Context, scopes: readonly string[]): void {
  const beyond = scopesBeyond(ctx.scopes, scopes);
  if (beyond.length === 0) return;
  throw apiKeyErrors.scopeForbidden({
    detail: `This key lacks ${beyond.join(', ')}.`,
    fields: [{ pointer: '/scopes', detail: `holds ${beyond.join(', ')}, which the calling key lacks` }],
  });
}

/** Every process forgets what it knows of the key once this transaction commits. */
async function tellOthers(tx: AccountTx, id: string): Promise<void> {
  await tx.query('select pg_notify($1, $2)', [API_KEY_CHANGED_CHANNEL, id]);
}
