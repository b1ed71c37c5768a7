import type { Clock } from '../../lib/clock.ts';
import type { PingrError } from '../../lib/errors.ts';
import type { Context } from '../context.ts';
import type { AccountCipher, Vault } from '../crypto/vault.ts';
import type { Database } from '../db/database.ts';
import type { Outcome, StoredAnswer } from './answer.ts';
import { asPingrError } from './as-pingr-error.ts';
import { idempotencyErrors } from './http.errors.ts';
import * as store from './idempotency.store.ts';
import type { IdempotentRequest } from './idempotent-request.ts';
import { problemOf } from './problem.ts';
import { createSettle } from './settle.ts';

/** What kept answers are sealed under; routes that keep their own use it too. */
export const ANSWER_PURPOSE = 'idempotency';

/** Runs requests with an `Idempotency-Key` at most once in 24 hours. */
export interface Idempotency {
  /**
   * Does the work, or returns the answer that the first request with this key got. Kept is every answer after which the
   * work may have been done: success, and failures of ours (5xx). What was refused (4xx), or failed in a way that may be
   * repeated, is judged afresh.
   * @throws idempotency.key_reused, idempotency.in_progress, idempotency.outcome_unknown, and what the work throws
   */
  once(ctx: Context, request: IdempotentRequest, work: () => Promise<Outcome>): Promise<Outcome>;
}

export interface IdempotencyParts {
  database: Database;
  vault: Vault;
  clock: Clock;
  random: () => number;
  /** Aborts when the process shuts down. */
  closing: AbortSignal;
}

export function createIdempotency(parts: IdempotencyParts): Idempotency {
  const { database, vault } = parts;
  const settle = createSettle(parts);
  return {
    async once(ctx, request, work) {
      const record = { accountId: ctx.accountId, mode: ctx.mode, ...request };
      const cipher = await vault.of(ctx.accountId);
      const claim = await database.accountOnce(ctx, (tx) => store.claim(tx, record));
      if (!claim.fresh) return { kind: 'replay', answer: answerOf(claim, request, cipher) };

      /** Keeps the answer for repeats; without one the key is free again. */
      const end = (answer: StoredAnswer | undefined) => {
        const kept = answer && { status: answer.status, sealed: sealed(answer, cipher) };
        return settle(ctx.log, () =>
          database.accountOnce(ctx, (tx) =>
            kept === undefined
              ? store.release(tx, record, claim.claimed_at)
              : store.finish(tx, record, claim.claimed_at, kept),
          ),
        );
      };
      const outcome = await work().catch(async (error: unknown): Promise<never> => {
        await end(failureOf(asPingrError(error), ctx, request));
        throw error;
      });
      await end(successOf(outcome));
      return outcome;
    },
  };
}

/**
 * What was kept for the request's key, for routes that keep their own answers; `undefined` where the key is new.
 * @throws idempotency.key_reused, idempotency.in_progress, idempotency.outcome_unknown
 */
export async function recallAnswer(
  database: Database,
  ctx: Context,
  request: { key: string; requestHash: Uint8Array },
  cipher: AccountCipher,
): Promise<StoredAnswer | undefined> {
  const kept = await database.accountOnce(ctx, (tx) => store.find(tx, ctx, request.key));
  return kept && answerOf(kept, request, cipher);
}

function successOf(outcome: Outcome): StoredAnswer | undefined {
  if (outcome.kind !== 'answer' || outcome.status >= 300) return undefined;
  const { status, replayText, payload } = outcome;
  return { status, text: replayText ?? Buffer.from(payload ?? '').toString('utf8') };
}

/** The work may have been done before it failed, so that doing it again could do it twice. */
function failureOf(
  problem: PingrError,
  { requestId: id }: Context,
  { path }: IdempotentRequest,
): StoredAnswer | undefined {
  const { status, repeatable } = problem.definition;
  if (status < 500 || repeatable) return undefined;
  return { status, text: JSON.stringify(problemOf(problem, { path, id })) };
}

function sealed({ text }: StoredAnswer, cipher: AccountCipher): Uint8Array {
  return cipher.seal(Buffer.from(text), ANSWER_PURPOSE);
}

/** @throws idempotency.key_reused where the request differs, the others while no answer is there */
function answerOf(
  kept: store.Kept,
  request: { requestHash: Uint8Array },
  cipher: AccountCipher,
): StoredAnswer {
  if (!kept.request_hash.equals(request.requestHash)) throw idempotencyErrors.keyReused();
  if (kept.status === null || kept.response === null)
    throw kept.given_up
      ? idempotencyErrors.outcomeUnknown()
      : idempotencyErrors.inProgress({ retryAfter: 1 });
  return { status: kept.status, text: cipher.open(kept.response, ANSWER_PURPOSE).toString('utf8') };
}
