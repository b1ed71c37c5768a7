import type { Mode } from '../lib/mode.ts';
import type { SystemTx } from '../platform/db/scope.ts';

/** A session that this worker holds. */
export interface Lease {
  sessionId: string;
  accountId: string;
  mode: Mode;
  epoch: number;
  /** Connection attempts since the last success, by any owner. */
  attempts: number;
}

interface LeaseRow {
  session_id: string;
  account_id: string;
  mode: Mode;
  epoch: string;
  attempts: number;
}

/** Says that the worker lives and returns how the mode's sessions are spread. All times are the database's. */
export async function beat(
  tx: SystemTx,
  worker: { id: string; mode: Mode; leaving: boolean; staleAfterMs: number },
): Promise<{ workers: number; sessions: number; owned: number }> {
  const [row] = await tx.query<{ workers: number; sessions: number; owned: number }>(
    `with me as (
       insert into workers (id, mode, leaving) values ($1, $2, $3)
       on conflict (id) do update set beat_at = now(), leaving = $3
     ) select
       (select count(*)::int from workers where mode = $2 and not leaving and id <> $1
          and beat_at > now() - make_interval(secs => $4 / 1000.0)) + (case when $3 then 0 else 1 end) as workers,
       (select count(*)::int from session_leases where mode = $2 and wanted) as sessions,
       (select count(*)::int from session_leases where mode = $2 and wanted and owner = $1) as owned`,
    [worker.id, worker.mode, worker.leaving, worker.staleAfterMs],
  );
  return row ?? { workers: 1, sessions: 0, owned: 0 };
}

/** What a worker may claim. */
export interface Claim {
  worker: { id: string; mode: Mode };
  limit: number;
  ttlMs: number;
  /** Sessions that the worker holds itself: renewed, never claimed, also where their lease ran out meanwhile. */
  holding: readonly string[];
  /** False takes only sessions that were given back, none whose lease ran out. */
  takeExpired: boolean;
}

/** Takes sessions that nobody holds and that are due, raising their epoch. */
export async function claim(
  tx: SystemTx,
  { worker, limit, ttlMs, holding, takeExpired }: Claim,
): Promise<Lease[]> {
  const rows = await tx.query<LeaseRow>(
    `with due as (
       select session_id from session_leases
       where mode = $2 and wanted and next_attempt_at <= now() and session_id <> all($5::uuid[])
         and (owner is null or ($6 and expires_at < now()))
       order by next_attempt_at limit $3 for update skip locked
     ) update session_leases l
       set owner = $1, epoch = l.epoch + 1, expires_at = now() + make_interval(secs => $4 / 1000.0)
       from due where l.session_id = due.session_id
       returning l.session_id, l.account_id, l.mode, l.epoch, l.attempts`,
    [worker.id, worker.mode, limit, ttlMs, holding, takeExpired],
  );
  return rows.map((row) => ({
    sessionId: row.session_id,
    accountId: row.account_id,
    mode: row.mode,
    epoch: Number(row.epoch),
    attempts: row.attempts,
  }));
}

type Held = Pick<Lease, 'sessionId' | 'epoch'>;

/**
 * Extends the leases; returns the sessions whose lease is still the worker's under the given epoch. Others of its
 * leases, of which an answer was lost, run out. Rows are locked in order, as by those who write under a lease.
 */
export async function renew(
  tx: SystemTx,
  workerId: string,
  ttlMs: number,
  leases: readonly Held[],
): Promise<Set<string>> {
  const rows = await tx.query<{ session_id: string }>(
    `with mine as (
       select l.session_id from session_leases l
       join unnest($3::uuid[], $4::bigint[]) as given (session_id, epoch) using (session_id, epoch)
       where l.owner = $1 order by l.session_id for no key update of l
     ) update session_leases l set expires_at = now() + make_interval(secs => $2 / 1000.0)
       from mine where l.session_id = mine.session_id returning l.session_id`,
    [workerId, ttlMs, leases.map((lease) => lease.sessionId), leases.map((lease) => lease.epoch)],
  );
  return new Set(rows.map((row) => row.session_id));
}

/** Gives sessions back, for another worker to claim at once. Only those still held under the given epoch. */
export async function release(tx: SystemTx, leases: readonly Held[]): Promise<void> {
  await tx.query(
    `with mine as (
       select l.session_id from session_leases l
       join unnest($1::uuid[], $2::bigint[]) as given (session_id, epoch) using (session_id, epoch)
       order by l.session_id for no key update of l
     ) update session_leases l set owner = null, expires_at = null
       from mine where l.session_id = mine.session_id`,
    [leases.map((lease) => lease.sessionId), leases.map((lease) => lease.epoch)],
  );
}

/** Records the outcome of a connection attempt, so that back-off survives a change of owner. */
export async function recordAttempts(
  tx: SystemTx,
  lease: { sessionId: string; epoch: number },
  attempts: number,
  delayMs: number,
): Promise<void> {
  await tx.query(
    `update session_leases set attempts = $3, next_attempt_at = now() + make_interval(secs => $4 / 1000.0)
     where session_id = $1 and epoch = $2`,
    [lease.sessionId, lease.epoch, attempts, delayMs],
  );
}

/** Sessions of the worker whose row wants something: a changed generation or state, a pairing code, unsent messages. */
export async function findWork(tx: SystemTx, workerId: string): Promise<string[]> {
  const rows = await tx.query<{ session_id: string }>(
    `select m.session_id from messages m join session_leases l on l.session_id = m.session_id
       where l.owner = $1 and m.status in ('queued', 'sending')
         and (m.not_before is null or m.not_before <= now())
     union
     select s.id from sessions s join session_leases l on l.session_id = s.id
       where l.owner = $1 and (s.desired <> 'running' or (s.pairing_phone is not null and s.pairing_code is null
         and s.pairing_error is null) or s.generation <> l.generation)`,
    [workerId],
  );
  return rows.map((row) => row.session_id);
}

/** Notes which generation of the session the socket was opened for. */
export async function recordGeneration(
  tx: SystemTx,
  lease: { sessionId: string; epoch: number },
  generation: number,
): Promise<void> {
  await tx.query('update session_leases set generation = $3 where session_id = $1 and epoch = $2', [
    lease.sessionId,
    lease.epoch,
    generation,
  ]);
}

/** Takes the worker off the list. */
export async function leave(tx: SystemTx, workerId: string): Promise<void> {
  await tx.query('delete from workers where id = $1', [workerId]);
}
