import { createLaneMessages } from '../../../src/features/messages/lane.service.ts';
import { createSessionReports } from '../../../src/features/sessions/session-reports.service.ts';
import type { SessionRow } from '../../../src/features/sessions/sessions.model.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { type PoolParts, SessionPool } from '../../../src/sessions-pool/pool.ts';
import { createRecipients } from '../../../src/sessions-pool/recipients.ts';
import { createReconnectGate } from '../../../src/sessions-pool/reconnect-gate.ts';
import { createSessionKeyStores } from '../../../src/sessions-pool/session-key-store.ts';
import type { TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';
import { ScriptedNetwork } from './scripted-socket.ts';

export interface TestPool {
  pool: SessionPool;
  workerId: string;
  network: ScriptedNetwork;
}

/** Longer than any test, so that a lease runs out where a test says so and not because the machine is slow. */
export const LEASE_MS = 10 * 60_000;

/** Seconds pass `factor` times as fast, for everything but the database. */
export function hastened(factor: number): Clock {
  const start = Date.now();
  return {
    now: () => new Date(start + (Date.now() - start) * factor),
    sleep: (ms, signal) => systemClock.sleep(Math.ceil(ms / factor), signal),
  };
}

/** A worker's pool on a scripted network. */
export async function startPool(
  db: TestDatabase,
  more: Partial<PoolParts> & { network?: ScriptedNetwork; database?: Database } = {},
): Promise<TestPool> {
  const { network = new ScriptedNetwork(), database = db.database, clock = hastened(20) } = more;
  const workerId = newUuid();
  const shared = { database, vault: db.vault, newUuid, clock, onFact: () => undefined };
  const messages = createLaneMessages(shared);
  const nothing = () => undefined;
  const pool = new SessionPool({
    ...{ workerId, mode: 'test', database, messages, clock, random: () => 0.5, log: silentLog },
    timings: { leaseMs: LEASE_MS, renewMs: 2_000, claimMs: 400, sweepMs: 1_000 },
    metrics: {
      sendEnded: nothing,
      laneLag: nothing,
      sendTook: nothing,
      receipt: nothing,
      inbound: nothing,
      disconnected: nothing,
    },
    reports: createSessionReports(shared),
    recipients: createRecipients(messages),
    keyStores: createSessionKeyStores(shared),
    gate: createReconnectGate({ perSecond: 1_000 }),
    openSocket: network.open,
    url: 'ws://127.0.0.1:1',
    connectTimeoutMs: 1_000,
    ackTimeoutMs: 1_000,
    autoPair: undefined,
    onReleased: nothing,
    ...more,
  });
  await pool.start();
  return { pool, workerId, network };
}

export async function sessionNow(db: TestDatabase, id: string): Promise<SessionRow> {
  const { rows } = await db.owner.query<SessionRow>('select * from sessions where id = $1', [id]);
  const [row] = rows;
  if (row === undefined) throw new Error('the session is gone');
  return row;
}

export async function leaseNow(db: TestDatabase, id: string) {
  const { rows } = await db.owner.query<{
    owner: string | null;
    epoch: string;
    wanted: boolean;
    attempts: number;
    expires_at: Date | null;
  }>('select owner, epoch, wanted, attempts, expires_at from session_leases where session_id = $1', [id]);
  return rows[0];
}

/** As if a lease's time had passed since the worker was heard of: its leases have run out, and it does not count. */
export async function expire(db: TestDatabase, { workerId }: Pick<TestPool, 'workerId'>): Promise<void> {
  await db.owner.query(
    `with gone as (update workers set beat_at = beat_at - interval '1 hour' where id = $1)
     update session_leases set expires_at = now() - interval '1 second' where owner = $1`,
    [workerId],
  );
}

/** Statuses that the session has announced, in order. */
export async function statusesOf(db: TestDatabase, id: string): Promise<string[]> {
  const { rows } = await db.owner.query<{ data: { status: string } }>(
    `select data from events where session_id = $1 and type = 'session.status' order by id`,
    [id],
  );
  return rows.map(({ data }) => data.status);
}
