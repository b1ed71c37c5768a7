import type { AccountTx } from '../../platform/db/scope.ts';
import type { EventFilter, EventRow, EventScope, Position } from './events.model.ts';

const COLUMNS = 'id, txid::text as txid, mode, type, session_id, message_id, data, created_at';

/**
 * Below this no transaction is running any more, so that nothing can still appear before an event that is already
 * visible. A long write transaction anywhere on the server holds this back.
 */
const SETTLED = 'pg_snapshot_xmin(pg_current_snapshot())';

const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Parameters $1 to $7 of every reading statement. */
const MATCHES = `account_id = $1 and mode = $2
  and ($3::text[] is null or type = any($3) or exists (select from unnest($4::text[]) as start where starts_with(type, start)))
  and ($5::uuid is null or session_id = $5) and ($6::uuid is null or message_id = $6)
  and type <> all($7::text[])`;

function matchValues(
  { accountId, mode }: EventScope,
  { types, hidden, sessionId, messageId }: EventFilter,
): unknown[] {
  const { exact = null, prefixes = [] } = types ?? {};
  return [accountId, mode, exact, prefixes, sessionId ?? null, messageId ?? null, hidden ?? []];
}

export interface EventList extends EventFilter {
  since?: Date | undefined;
  until?: Date | undefined;
  limit: number;
  /** UUID of the last event of the page before. */
  after?: string | undefined;
}

/** Newest first. Ids hold their time, by which whole partitions are left out; a day's slack covers late writers. */
export function listEvents(tx: AccountTx, scope: EventScope, list: EventList): Promise<EventRow[]> {
  return tx.query<EventRow>(
    `select ${COLUMNS} from events e where ${MATCHES} and txid < ${SETTLED}
       and ($8::timestamptz is null or (created_at >= $8 and id >= app.uuid_floor($8 - interval '1 day')))
       and ($9::timestamptz is null or (created_at < $9 and id < app.uuid_floor($9 + interval '1 day')))
       and ($10::uuid is null or (txid, id) < ((select c.txid from events c where c.id = $10), $10))
     order by e.txid desc, e.id desc limit $11`,
    [...matchValues(scope, list), list.since ?? null, list.until ?? null, list.after ?? null, list.limit],
  );
}

export async function findEvent(tx: AccountTx, id: string): Promise<EventRow | undefined> {
  const [row] = await tx.query<EventRow>(`select ${COLUMNS} from events where id = $1`, [id]);
  return row;
}

/** Events after a position, oldest first, and whether they can still be overtaken. */
export function eventsAfter(
  tx: AccountTx,
  scope: EventScope,
  from: { position: Position; filter: EventFilter; limit: number },
): Promise<(EventRow & { settled: boolean })[]> {
  return tx.query(
    `select ${COLUMNS}, txid < ${SETTLED} as settled from events e
     where ${MATCHES} and (txid, id) > ($8::xid8, $9::uuid) order by e.txid, e.id limit $10`,
    [...matchValues(scope, from.filter), from.position.txid, from.position.id, from.limit],
  );
}

/** The place behind everything that is settled: what follows it is new. */
export async function currentPosition(tx: AccountTx): Promise<Position> {
  const [row] = await tx.query<{ txid: string }>(`select ${SETTLED}::text as txid`);
  if (row === undefined) throw new Error('no snapshot');
  return { txid: row.txid, id: NIL_UUID };
}
