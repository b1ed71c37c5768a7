import type { AccountTx } from '../../platform/db/scope.ts';
import type { AttemptRow, DeliveryRow, DeliveryStatus } from './deliveries.model.ts';

export interface DeliveryList {
  endpointId: string;
  status?: DeliveryStatus | undefined;
  /** Names or prefixes such as `message.*`. */
  types?: string[] | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  limit: number;
  /** UUID of the last delivery of the page before. */
  after?: string | undefined;
}

/** A delivery with what its endpoint may keep it back for. */
export interface WaitingRow extends DeliveryRow {
  /** Until when the receiver rests; null where it does not, or the endpoint is gone. */
  resting_until: Date | null;
}

/** Attempts that are shown of one delivery. */
const ATTEMPTS_SHOWN = 100;

/**
 * Newest first. `since` and `until` are about the event's time, and no delivery is made before its event: by that
 * whole partitions are left out, with a day's slack for clocks that differ.
 */
export function listDeliveries(tx: AccountTx, list: DeliveryList): Promise<WaitingRow[]> {
  return tx.query<WaitingRow>(
    `select *, (select resting_until from webhook_endpoints where id = $1) from webhook_deliveries
     where account_id = (select app.account_id()) and endpoint_id = $1
       and ($2::text is null or status = $2)
       and ($3::text[] is null or app.wants_event($3, event_type))
       and ($4::timestamptz is null or (event_at >= $4 and id >= app.uuid_floor($4 - interval '1 day')))
       and ($5::timestamptz is null or event_at < $5)
       and ($6::uuid is null or id < $6)
     order by id desc limit $7`,
    [
      list.endpointId,
      list.status ?? null,
      list.types ?? null,
      list.since ?? null,
      list.until ?? null,
      list.after ?? null,
      list.limit,
    ],
  );
}

/** Whether the endpoint exists, or did and has deliveries that are kept. */
export async function endpointIsKnown(tx: AccountTx, endpointId: string): Promise<boolean> {
  const [row] = await tx.query<{ known: boolean }>(
    `select exists (select from webhook_endpoints where id = $1)
       or exists (select from webhook_deliveries where account_id = (select app.account_id()) and endpoint_id = $1) as known`,
    [endpointId],
  );
  return row?.known === true;
}

export async function findDelivery(tx: AccountTx, id: string): Promise<WaitingRow | undefined> {
  const [row] = await tx.query<WaitingRow>(
    `select d.*, (select resting_until from webhook_endpoints e where e.id = d.endpoint_id)
     from webhook_deliveries d where d.id = $1`,
    [id],
  );
  return row;
}

/** The latest attempts, in order. */
export async function listAttempts(tx: AccountTx, deliveryId: string): Promise<AttemptRow[]> {
  const rows = await tx.query<AttemptRow>(
    `select id, delivery_id, number, started_at, outcome, duration_ms, status_code, error, response
     from webhook_attempts where delivery_id = $1 order by number desc limit $2`,
    [deliveryId, ATTEMPTS_SHOWN],
  );
  return rows.reverse();
}

export type SampleRow = Pick<
  DeliveryRow,
  'id' | 'account_id' | 'mode' | 'endpoint_id' | 'event_id' | 'event_type' | 'event_at'
>;

/** A delivery of an event that never was, due now. */
export async function insertSample(tx: AccountTx, sample: SampleRow): Promise<DeliveryRow> {
  const [row] = await tx.query<DeliveryRow>(
    `insert into webhook_deliveries (id, account_id, mode, endpoint_id, event_id, event_type, event_at, sample)
     values ($1, $2, $3, $4, $5, $6, $7, true) returning *`,
    [
      sample.id,
      sample.account_id,
      sample.mode,
      sample.endpoint_id,
      sample.event_id,
      sample.event_type,
      sample.event_at,
    ],
  );
  if (row === undefined) throw new Error('insert returned no delivery');
  return row;
}

/** Makes what waits for a later try due at once, so many at most. @returns how many those were */
export async function hurryPending(tx: AccountTx, endpointId: string, atMost: number): Promise<number> {
  const rows = await tx.query(
    `with waiting as (
       select id from webhook_deliveries where endpoint_id = $1 and status = 'pending' and next_attempt_at > now()
       limit $2 for update skip locked
     )
     update webhook_deliveries d set next_attempt_at = now() from waiting w where d.id = w.id returning d.id`,
    [endpointId, atMost],
  );
  return rows.length;
}

/** Cancels deliveries that are not finished, so many at most. @returns how many those were */
export async function cancelUnfinished(tx: AccountTx, endpointId: string, atMost: number): Promise<number> {
  const rows = await tx.query(
    `with unfinished as (
       select id from webhook_deliveries where endpoint_id = $1 and status in ('pending', 'sending')
       limit $2 for update skip locked
     )
     update webhook_deliveries d set status = 'cancelled', next_attempt_at = null, finished_at = now()
     from unfinished u where d.id = u.id returning d.id`,
    [endpointId, atMost],
  );
  return rows.length;
}
