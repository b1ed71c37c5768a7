import type { AccountTx } from '../../platform/db/scope.ts';
import type { DeliveryRow } from './deliveries.model.ts';

/** Which deliveries of an endpoint to send again; times are those of their events. */
export interface ReplayRange {
  endpointId: string;
  /** `all`: what was delivered or cancelled as well. */
  status: 'failed' | 'all';
  since: Date | undefined;
  until: Date;
}

export interface ReplayBatch {
  /** Started again from their first try. */
  replayed: number;
  /** Waited for a later try, which is now due. */
  hurried: number;
  /** UUID of the delivery to go on after; absent where none is left. */
  next: string | undefined;
}

/**
 * Starts one delivery again; one that waits is due now, and one that is on its way stays as it is.
 * @returns it as it then is; `undefined` where there is none
 */
export async function replayOne(tx: AccountTx, id: string): Promise<DeliveryRow | undefined> {
  const [row] = await tx.query<DeliveryRow>(
    `with replayed as (
       update webhook_deliveries set status = 'pending', tries = case when status = 'pending' then tries else 0 end,
         next_attempt_at = case when status = 'pending' then least(next_attempt_at, now()) else now() end, finished_at = null
       where id = $1 and status <> 'sending' returning *
     )
     select * from replayed
     union all select * from webhook_deliveries where id = $1 and not exists (select from replayed)`,
    [id],
  );
  return row;
}

/**
 * Starts a batch of deliveries again, oldest first.
 * @param after UUID of the last delivery of the batch before
 */
export async function replayBatch(
  tx: AccountTx,
  { endpointId, status, since, until }: ReplayRange,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<ReplayBatch> {
  const [row] = await tx.query<{ replayed: number; hurried: number; last: string | null }>(
    `with batch as materialized (
       select id, status as was from webhook_deliveries
       where account_id = (select app.account_id()) and endpoint_id = $1
         and (${STATUS[status]} or (status = 'pending' and next_attempt_at > now()))
         and ($2::timestamptz is null or (event_at >= $2 and id >= app.uuid_floor($2 - interval '1 day')))
         and event_at < $3 and ($4::uuid is null or id > $4)
       order by id limit $5 for update skip locked
     ), replayed as (
       update webhook_deliveries d set status = 'pending', tries = case when b.was = 'pending' then d.tries else 0 end,
         next_attempt_at = now(), finished_at = null
       from batch b where d.id = b.id
     )
     select (count(*) filter (where was <> 'pending'))::integer as replayed,
       (count(*) filter (where was = 'pending'))::integer as hurried, (select id from batch order by id desc limit 1) as last
     from batch`,
    [endpointId, since ?? null, until, after ?? null, limit],
  );
  const { replayed = 0, hurried = 0, last = null } = row ?? {};
  return { replayed, hurried, next: replayed + hurried < limit ? undefined : (last ?? undefined) };
}

/** What is on its way is left alone; what waits for a later try is due now in either case. */
const STATUS = {
  failed: `status = 'failed'`,
  all: `status in ('failed', 'delivered', 'cancelled')`,
};

/** Events whose deliveries may be missing. */
export interface MissingRange {
  endpointId: string;
  since: Date;
  until: Date;
}

/** An event's place in the order of commits. */
export interface EventPlace {
  txid: string;
  id: string;
}

export interface MissingBatch {
  created: number;
  /** Place to go on after; absent where no event is left. */
  next: EventPlace | undefined;
}

/** Others that would add the same deliveries wait until this transaction ends. */
export async function lockMissing(tx: AccountTx, endpointId: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('webhook_replay/' || $1, 0))`, [endpointId]);
}

/**
 * Looks at a batch of events in their order and adds deliveries of those that the endpoint wants and never had.
 * Wants and the place in line are judged as `app.announce` judges them.
 */
export async function addMissing(
  tx: AccountTx,
  range: MissingRange,
  { after, limit }: { after: EventPlace | undefined; limit: number },
): Promise<MissingBatch> {
  const [row] = await tx.query<{ created: number; seen: number; txid: string | null; id: string | null }>(
    `with batch as materialized (
       select e.* from events e
       where e.account_id = (select app.account_id()) and e.mode = (select app.mode())
         and e.created_at >= $2 and e.created_at < $3
         and e.id >= app.uuid_floor($2 - interval '1 day') and e.id < app.uuid_floor($3 + interval '1 day')
         and ($4::xid8 is null or (e.txid, e.id) > ($4::xid8, $5::uuid))
       order by e.txid, e.id limit $6
     ), known as materialized (
       select event_id from webhook_deliveries where endpoint_id = $1
         and event_id between (select id from batch order by id limit 1) and (select id from batch order by id desc limit 1)
     ), added as (
       insert into webhook_deliveries (id, account_id, mode, endpoint_id, event_id, event_type, event_at, session_id,
         message_id, rank)
       select app.new_uuid(), b.account_id, b.mode, w.id, b.id, b.type, b.created_at, b.session_id, b.message_id,
         case when b.message_id is null then 0 else app.message_rank(split_part(b.type, '.', 2)) end
       from batch b join webhook_endpoints w on w.id = $1
       where app.wants_event(w.events, b.type) and (w.session_ids is null or b.session_id = any(w.session_ids))
         and b.id not in (select event_id from known)
       order by b.txid, b.id
       returning 1
     )
     select (select count(*) from added)::integer as created, (select count(*) from batch)::integer as seen,
       last.txid::text as txid, last.id
     from (select) as one left join (select txid, id from batch order by txid desc, id desc limit 1) as last on true`,
    [range.endpointId, range.since, range.until, after?.txid ?? null, after?.id ?? null, limit],
  );
  if (row === undefined) throw new Error('select returned no counts');
  const { created, seen, txid, id } = row;
  return { created, next: seen < limit || txid === null || id === null ? undefined : { txid, id } };
}
