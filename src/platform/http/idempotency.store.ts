import type { Mode } from '../../lib/mode.ts';
import type { AccountTx } from '../db/scope.ts';

/** How long an answer is kept, as an SQL interval. The accept path of messages keeps to it too. */
export const KEPT_FOR = '24 hours';
/** A request that has run this long, longer than any may take, is taken to have died with its process. */
const GIVEN_UP_AFTER = '2 minutes';

export interface IdempotencyRecord {
  accountId: string;
  mode: Mode;
  key: string;
  requestHash: Uint8Array;
}

/** A record as it stands. */
export interface Kept {
  request_hash: Buffer;
  /** Null while the first request runs, and for good where it was cut off. */
  status: number | null;
  /** Sealed. */
  response: Buffer | null;
  /** Whether an answer is not to be waited for any more. */
  given_up: boolean;
}

interface Claim extends Kept {
  /** When the record was claimed, to the microsecond: names this claim. */
  claimed_at: string;
  /** True where this call made the record its own. */
  fresh: boolean;
}

const KEPT = `request_hash, status, response, created_at < now() - interval '${GIVEN_UP_AFTER}' as given_up`;

/** Makes the record this request's own, or returns it as another request left it. */
export async function claim(tx: AccountTx, record: IdempotencyRecord): Promise<Claim> {
  const either = (fresh: string, kept: string) =>
    `case when k.created_at < now() - interval '${KEPT_FOR}' then ${fresh} else ${kept} end`;
  const [row] = await tx.query<Claim>(
    `insert into idempotency_keys as k (account_id, mode, key, request_hash) values ($1, $2, $3, $4)
     on conflict (account_id, mode, key) do update set
       request_hash = ${either('excluded.request_hash', 'k.request_hash')},
       status = ${either('null', 'k.status')},
       response = ${either('null', 'k.response')},
       created_at = ${either('now()', 'k.created_at')}
     returning ${KEPT}, created_at::text as claimed_at, created_at = now() as fresh`,
    [record.accountId, record.mode, record.key, record.requestHash],
  );
  if (row === undefined) throw new Error('the claim returned no row');
  return row;
}

/** The record of a key that is still kept. */
export async function find(
  tx: AccountTx,
  { accountId, mode }: Pick<IdempotencyRecord, 'accountId' | 'mode'>,
  key: string,
): Promise<Kept | undefined> {
  const [row] = await tx.query<Kept>(
    `select ${KEPT} from idempotency_keys
     where account_id = $1 and mode = $2 and key = $3 and created_at >= now() - interval '${KEPT_FOR}'`,
    [accountId, mode, key],
  );
  return row;
}

/** Keeps the answer, unless another request has taken the record over meanwhile. */
export async function finish(
  tx: AccountTx,
  record: IdempotencyRecord,
  claimedAt: string,
  answer: { status: number; sealed: Uint8Array },
): Promise<void> {
  await tx.query(
    `update idempotency_keys set status = $5, response = $6
     where account_id = $1 and mode = $2 and key = $3 and created_at = $4::timestamptz`,
    [record.accountId, record.mode, record.key, claimedAt, answer.status, answer.sealed],
  );
}

/** Forgets a request that did nothing, so that it may be sent again under its key. */
export async function release(tx: AccountTx, record: IdempotencyRecord, claimedAt: string): Promise<void> {
  await tx.query(
    `delete from idempotency_keys
     where account_id = $1 and mode = $2 and key = $3 and created_at = $4::timestamptz and status is null`,
    [record.accountId, record.mode, record.key, claimedAt],
  );
}
