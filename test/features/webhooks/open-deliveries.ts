import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { createEventNotifier } from '../../../src/features/events/event-notifier.ts';
import { createEventReader } from '../../../src/features/events/event-reader.ts';
import { createMessagesService } from '../../../src/features/messages/messages.service.ts';
import type { AttemptRow, DeliveryRow } from '../../../src/features/webhooks/deliveries.model.ts';
import { DeliveryPool, type DeliveryPoolParts } from '../../../src/features/webhooks/delivery-pool.ts';
import {
  DELIVERY_SETTINGS,
  type DeliverySettings,
} from '../../../src/features/webhooks/delivery-settings.ts';
import type { DisabledEndpoint } from '../../../src/features/webhooks/disable.system.ts';
import {
  sealHeaders,
  sealSecret,
  type WebhookEndpointRow,
} from '../../../src/features/webhooks/webhooks.model.ts';
import { fromId, newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { newWebhookSecret } from '../../../src/platform/crypto/webhook-signature.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { createNotices, type Notices } from '../../../src/platform/db/notices.ts';
import { createOutboundHttp } from '../../../src/platform/net/outbound-http.ts';
import { eventSubjects } from '../../../src/roles/event-subjects.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedSession, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog } from '../../support/log.ts';
import { announce, type Fact } from '../events/open-events.ts';

/** Like the real ones, but quick. */
export const QUICK: DeliverySettings = {
  ...DELIVERY_SETTINGS,
  leaseMs: 1_000,
  renewMs: 300,
  sweepMs: 100,
  lingerMs: 500,
  schedule: [100, 150, 200],
  finishMs: 500,
  flushMs: 500,
};

interface OpenPool {
  settings?: Partial<DeliverySettings>;
  database?: Database;
  parts?: Partial<DeliveryPoolParts>;
}

export type Deliveries = Awaited<ReturnType<typeof openDeliveries>>;

/** A database with everything that delivers from it, in one process or several. */
export async function openDeliveries() {
  const db = await createTestDatabase(inject('postgresUrl'));
  const stops = new Set<() => Promise<void>>();
  const pools = new Set<DeliveryPool>();
  const disabled: DisabledEndpoint[] = [];
  const http = createOutboundHttp();
  const notifier = createEventNotifier({
    database: db.database,
    log: silentLog,
    onWork: ({ kind, subject }) => {
      if (kind === 'webhooks') for (const pool of pools) pool.wake(subject);
    },
  });

  /** Another process's pool. */
  async function openPool({ settings, database = db.database, parts = {} }: OpenPool = {}) {
    const notices: Notices = createNotices({ url: db.url, clock: systemClock, log: silentLog });
    const shared = { database, vault: db.vault, clock: systemClock, log: silentLog };
    const messages = createMessagesService({
      ...shared,
      newUuid,
      randomBytes,
      waker: { wake: () => undefined },
      onFact: () => undefined,
    });
    const reader = createEventReader({
      ...shared,
      loadMessages: messages.load,
      subjects: eventSubjects(shared),
    });
    const metrics = { attempts: [] as string[], latencies: [] as number[] };
    const pool = new DeliveryPool({
      ...shared,
      workerId: newUuid(),
      mode: 'test',
      notices,
      showEvents: reader.show,
      http,
      policy: { https: 'optional', loopback: true },
      waker: { offer: () => undefined },
      newUuid,
      random: Math.random,
      metrics: {
        attemptEnded: (outcome) => metrics.attempts.push(outcome),
        delivered: (ms) => metrics.latencies.push(ms),
      },
      settings: { ...QUICK, ...settings },
      onFact: notifier.notify,
      onDisabled: async (_, endpoint) => void disabled.push(endpoint),
      ...parts,
    });
    await pool.start();
    pools.add(pool);
    const close = async () => {
      pools.delete(pool);
      stops.delete(close);
      await pool.drain();
      await notices.close();
    };
    stops.add(close);
    return { pool, metrics, close };
  }

  async function closePools() {
    await Promise.all([...stops].map((stop) => stop()));
  }

  return {
    db,
    disabled,
    http,
    openPool,
    notifier,
    seedEndpoint: (accountId: string, url: string, more?: Partial<NewEndpoint>) =>
      seedEndpoint(db, accountId, { url, ...more }),
    /** Announces a fact and tells of it, as a process does. */
    async happen(fact: Fact): Promise<string> {
      const id = await announce(db.owner, fact);
      notifier.notify(fact.accountId);
      return id;
    },
    /** Accepts a message, which is a fact; returns its UUID. */
    async send(accountId: string, text: string): Promise<string> {
      const messages = createMessagesService({
        ...db,
        newUuid,
        randomBytes,
        clock: systemClock,
        waker: { wake: () => undefined },
        onFact: notifier.notify,
      });
      const sessionId = await seedSession(db, accountId);
      const input = {
        sessionId,
        to: '919876543210',
        text,
        contextMessageId: undefined,
        idempotency: undefined,
      };
      const sent = await messages.send(contextOf(accountId), input);
      if (sent.replay !== undefined) throw new Error('replayed');
      return fromId('message', sent.message.id) ?? '';
    },
    deliveries: (endpointId: string) => readDeliveries(db, endpointId),
    /** Waits until all deliveries of the endpoint are as asked for. */
    settled: (endpointId: string, isRight: (rows: DeliveryRow[]) => boolean, withinMs?: number) =>
      eventually(() => readDeliveries(db, endpointId), isRight, withinMs),
    async attempts(deliveryId: string): Promise<AttemptRow[]> {
      const text = 'select * from webhook_attempts where delivery_id = $1 order by number';
      return (await db.owner.query<AttemptRow>(text, [deliveryId])).rows;
    },
    async endpoint(id: string): Promise<WebhookEndpointRow> {
      const { rows } = await db.owner.query<WebhookEndpointRow>(
        'select * from webhook_endpoints where id = $1',
        [id],
      );
      const [row] = rows;
      if (row === undefined) throw new Error('no endpoint');
      return row;
    },
    /** Ends all processes, as between tests. */
    closePools,
    async close() {
      await closePools();
      await notifier.flush();
      await http.close();
      await db.close();
    },
  };
}

interface NewEndpoint {
  url: string;
  events: string[];
  headers: Record<string, string>;
  enabled: boolean;
}

async function seedEndpoint(
  { owner, vault }: TestDatabase,
  accountId: string,
  { url = '', events = ['*'], headers = {}, enabled = true }: Partial<NewEndpoint>,
): Promise<{ id: string; secret: string }> {
  const id = newUuid();
  const cipher = await vault.of(accountId);
  const secret = newWebhookSecret(randomBytes);
  await owner.query(
    `insert into webhook_endpoints (id, account_id, mode, url, events, headers, secret, enabled)
     values ($1, $2, 'test', $3, $4, $5, $6, $7)`,
    [id, accountId, url, events, sealHeaders(headers, id, cipher), sealSecret(secret, id, cipher), enabled],
  );
  return { id, secret };
}

async function readDeliveries({ owner }: TestDatabase, endpointId: string): Promise<DeliveryRow[]> {
  const text = 'select * from webhook_deliveries where endpoint_id = $1 order by id';
  return (await owner.query<DeliveryRow>(text, [endpointId])).rows;
}

/** Whether all are so. */
export function all(status: DeliveryRow['status'], count: number) {
  return (rows: DeliveryRow[]) => rows.length === count && rows.every((row) => row.status === status);
}
