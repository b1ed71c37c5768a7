import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from '../context.ts';
import type { AccountCipher, Vault } from '../crypto/vault.ts';
import type { Database } from '../db/database.ts';
import type { Outcome, StoredAnswer } from './answer.ts';
import { idempotencyErrors } from './http.errors.ts';
import * as store from './idempotency.store.ts';

/** What kept answers are sealed under; routes that keep their own use it too. */
export const ANSWER_PURPOSE = 'idempotency';

/** A request that the caller may repeat. */
export interface IdempotentRequest {
  key: string;
  /** SHA-256 of method, path and body: a repeat has the same one. */
  requestHash: Buffer;
}

/** Runs requests with an `Idempotency-Key` at most once in 24 hours. */
export interface Idempotency {
  /**
   * Does the work, or returns the answer that the first request with this key got. Only answers that changed
   * something (2xx) are kept: a refused or failed request is judged afresh.
   * @throws idempotency.key_reused, idempotency.in_progress, and what the work throws
   */
  once(ctx: Context, request: IdempotentRequest, work: () => Promise<Outcome>): Promise<Outcome>;
}

export function createIdempotency({ database, vault }: { database: Database; vault: Vault }): Idempotency {
  return {
    async once(ctx, request, work) {
      const record = { accountId: ctx.accountId, mode: ctx.mode, ...request };
      const cipher = await vault.of(ctx.accountId);
      const claim = await database.accountOnce(ctx, (tx) => store.claim(tx, record));
      if (!claim.fresh) return { kind: 'replay', answer: answerOf(claim, request, cipher) };

      const giveUp = () => database.accountOnce(ctx, (tx) => store.release(tx, record, claim.claimed_at));
      let outcome: Outcome;
      try {
        outcome = await work();
      } catch (error) {
        await giveUp().catch((err: unknown) => ctx.log.warn({ err }, 'idempotency key not released'));
        throw error;
      }
      if (outcome.kind !== 'answer' || outcome.status >= 300) {
        await giveUp();
        return outcome;
      }
      const text = outcome.replayText ?? Buffer.from(outcome.payload ?? '').toString('utf8');
      const answer = { status: outcome.status, sealed: cipher.seal(Buffer.from(text), ANSWER_PURPOSE) };
      await database.accountOnce(ctx, (tx) => store.finish(tx, record, claim.claimed_at, answer));
      return outcome;
    },
  };
}

/** @throws idempotency.key_reused where the request differs, idempotency.in_progress while the first one runs */
function answerOf(
  claim: Awaited<ReturnType<typeof store.claim>>,
  request: IdempotentRequest,
  cipher: AccountCipher,
): StoredAnswer {
  if (!request.requestHash.equals(claim.request_hash)) throw idempotencyErrors.keyReused();
  if (claim.status === null || claim.response === null) throw idempotencyErrors.inProgress({ retryAfter: 1 });
  return { status: claim.status, text: cipher.open(claim.response, ANSWER_PURPOSE).toString('utf8') };
}

/** The request's `Idempotency-Key` with its hash, if it has one. @throws idempotency.key_invalid */
export function readIdempotency(
  headers: IncomingHttpHeaders,
  request: { method: string; url: string; body: unknown },
): IdempotentRequest | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) throw idempotencyErrors.keyInvalid();
  const hash = createHash('sha256').update(
    `${request.method} ${request.url}\n${canonicalJson(request.body)}`,
  );
  return { key, requestHash: hash.digest() };
}

/** JSON with the keys of every object in order, so that two spellings of one body are equal. */
export function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? ''
  );
}
