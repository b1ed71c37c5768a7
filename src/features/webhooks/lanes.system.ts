import type { Mode } from '../../lib/mode.ts';
import type { SystemTx } from '../../platform/db/scope.ts';

/** An endpoint that this worker delivers to. Ids are UUIDs. */
export interface LaneLease {
  endpointId: string;
  accountId: string;
  mode: Mode;
  epoch: number;
  /** Whether the owner before may have left deliveries in the middle. */
  unclean: boolean;
}

type Held = Pick<LaneLease, 'endpointId' | 'epoch'>;

/** Who takes lanes, and on which terms. */
export interface Taker {
  owner: string;
  mode: Mode;
  ttlMs: number;
  /** False leaves lanes whose lease ran out to their owners, which may be about to renew it. */
  takeExpired: boolean;
}

interface LeaseRow {
  endpoint_id: string;
  account_id: string;
  mode: Mode;
  epoch: string;
  unclean: boolean;
}

/**
 * Endpoints, out of `candidate (endpoint_id)`, that nobody holds and that have something to do. While a receiver rests
 * that is a sample alone, as `claimDeliveries` has it.
 */
const FREE = `
  select c.endpoint_id, e.account_id, e.mode, l.owner is not null as unclean
  from candidate c join webhook_endpoints e on e.id = c.endpoint_id left join webhook_lanes l using (endpoint_id)
  where e.mode = $2
    and (l.owner is null or l.owner = $1 or ($4 and l.expires_at < now()))
    and (l.owner is not null or e.enabled and case when e.resting_until > now()
      then exists (select from webhook_deliveries d
        where d.endpoint_id = c.endpoint_id and d.status = 'pending' and d.sample and d.tries = 0
          and d.next_attempt_at <= now() offset 0)
      else exists (select from webhook_deliveries d
        where d.endpoint_id = c.endpoint_id and d.status = 'pending' and d.next_attempt_at <= now() offset 0) end)`;

/** Rows are written in order, as all who lock several lanes do. The condition is judged again on the row as locked. */
const TAKE = `
  insert into webhook_lanes as l (endpoint_id, account_id, mode, owner, epoch, expires_at)
  select f.endpoint_id, f.account_id, f.mode, $1, 1, now() + make_interval(secs => $3 / 1000.0)
  from free f order by f.endpoint_id
  on conflict (endpoint_id) do update
    set owner = excluded.owner, epoch = l.epoch + 1, expires_at = excluded.expires_at
    where l.owner is null or l.owner = $1 or ($4 and l.expires_at < now())
  returning l.endpoint_id, l.account_id, l.mode, l.epoch`;

/**
 * Takes those of the endpoints that nobody holds and that have deliveries due. The worker must not have lanes of them
 * at work: a lease of its own is one whose answer was lost.
 */
export async function takeLanes(
  tx: SystemTx,
  taker: Taker,
  endpointIds: readonly string[],
): Promise<LaneLease[]> {
  const rows = await tx.query<LeaseRow>(
    `with candidate as (select unnest($5::uuid[]) as endpoint_id), free as materialized (${FREE}), taken as (${TAKE})
     select taken.*, free.unclean from taken join free using (endpoint_id)`,
    [taker.owner, taker.mode, taker.ttlMs, taker.takeExpired, endpointIds],
  );
  return rows.map(toLease);
}

/**
 * Takes endpoints that have deliveries due or whose owner is gone, and that nobody holds: at random, so that workers
 * share them. Walks the index from endpoint to endpoint, so that a long backlog costs no more than a short one.
 */
export async function sweepLanes(
  tx: SystemTx,
  taker: Taker,
  sweep: { holding: readonly string[]; limit: number },
): Promise<LaneLease[]> {
  const rows = await tx.query<LeaseRow>(
    `with recursive waiting as (
       (select endpoint_id from webhook_deliveries where status = 'pending' order by endpoint_id limit 1)
       union all
       select (select d.endpoint_id from webhook_deliveries d
         where d.status = 'pending' and d.endpoint_id > w.endpoint_id order by d.endpoint_id limit 1)
       from waiting w where w.endpoint_id is not null
     ), candidate as (
       select endpoint_id from (
         select endpoint_id from waiting where endpoint_id is not null
         union select endpoint_id from webhook_lanes where owner is not null and (owner = $1 or expires_at < now())
       ) as found where endpoint_id <> all($5::uuid[])
     ), free as materialized (select * from (${FREE}) as f order by random() limit $6), taken as (${TAKE})
     select taken.*, free.unclean from taken join free using (endpoint_id)`,
    [taker.owner, taker.mode, taker.ttlMs, taker.takeExpired, sweep.holding, sweep.limit],
  );
  return rows.map(toLease);
}

function toLease(row: LeaseRow): LaneLease {
  return {
    endpointId: row.endpoint_id,
    accountId: row.account_id,
    mode: row.mode,
    epoch: Number(row.epoch),
    unclean: row.unclean,
  };
}

/** Extends the leases. @returns the endpoints whose lease is still the worker's under the given epoch */
export async function renewLanes(
  tx: SystemTx,
  { owner, ttlMs }: Pick<Taker, 'owner' | 'ttlMs'>,
  lanes: readonly Held[],
): Promise<Set<string>> {
  const rows = await tx.query<{ endpoint_id: string }>(
    `with mine as (
       select l.endpoint_id from webhook_lanes l
       join unnest($3::uuid[], $4::bigint[]) as given (endpoint_id, epoch) using (endpoint_id, epoch)
       where l.owner = $1 order by l.endpoint_id for no key update of l
     ) update webhook_lanes l set expires_at = now() + make_interval(secs => $2 / 1000.0)
       from mine where l.endpoint_id = mine.endpoint_id returning l.endpoint_id`,
    [owner, ttlMs, lanes.map((lane) => lane.endpointId), lanes.map((lane) => lane.epoch)],
  );
  return new Set(rows.map((row) => row.endpoint_id));
}

/** Gives lanes back, only those still held under the given epoch. */
export async function releaseLanes(tx: SystemTx, owner: string, lanes: readonly Held[]): Promise<void> {
  await tx.query(
    `with mine as (
       select l.endpoint_id from webhook_lanes l
       join unnest($2::uuid[], $3::bigint[]) as given (endpoint_id, epoch) using (endpoint_id, epoch)
       where l.owner = $1 order by l.endpoint_id for no key update of l
     ) update webhook_lanes l set owner = null, expires_at = null
       from mine where l.endpoint_id = mine.endpoint_id`,
    [owner, lanes.map((lane) => lane.endpointId), lanes.map((lane) => lane.epoch)],
  );
}

/**
 * Closes attempts that nobody works on any more as `interrupted`, and makes their deliveries due at once. Must run in
 * a statement of its own after the lease was taken, when what the owner before claimed can be seen.
 * @param open attempts of this owner that are under way
 * @returns whether the lane is still held
 */
export async function recoverLane(
  tx: SystemTx,
  owner: string,
  lane: Held & { open: readonly string[] },
): Promise<boolean> {
  const rows = await tx.query(
    `with held as materialized (
       select endpoint_id from webhook_lanes where endpoint_id = $2 and epoch = $3 and owner = $1 for share
     ), left_open as materialized (
       select a.id, a.delivery_id from webhook_attempts a join held using (endpoint_id)
       where a.outcome is null and a.id <> all($4::uuid[])
     ), closed as (
       update webhook_attempts a set outcome = 'interrupted' from left_open o where a.id = o.id
     ), due_again as (
       update webhook_deliveries d set status = 'pending', next_attempt_at = now() from held
       where d.endpoint_id = held.endpoint_id and d.status = 'sending'
         and not exists (select from webhook_attempts a where a.delivery_id = d.id and a.id = any($4::uuid[]))
     ) select from held`,
    [owner, lane.endpointId, lane.epoch, lane.open],
  );
  return rows.length > 0;
}

/** Deliveries that are due and wait at the worker's lanes, counted up to 10,000. */
export async function countDue(tx: SystemTx, owner: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `select count(*)::integer as count from (
       select from webhook_lanes l join webhook_deliveries d using (endpoint_id)
       where l.owner = $1 and d.status = 'pending' and d.next_attempt_at <= now() limit 10000
     ) as counted`,
    [owner],
  );
  return row?.count ?? 0;
}
