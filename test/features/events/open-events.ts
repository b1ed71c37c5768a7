import { randomBytes } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { expect } from 'vitest';
import { createEventHub } from '../../../src/features/events/event-hub.ts';
import { createEventNotifier } from '../../../src/features/events/event-notifier.ts';
import { createEventReader } from '../../../src/features/events/event-reader.ts';
import { eventRoutes } from '../../../src/features/events/events.routes.ts';
import { createEventsService } from '../../../src/features/events/events.service.ts';
import { createMessagesService } from '../../../src/features/messages/messages.service.ts';
import { fromId, newUuid } from '../../../src/lib/ids.ts';
import type { Mode } from '../../../src/lib/mode.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices } from '../../../src/platform/db/notices.ts';
import { EVENT_DATA, eventSubjects } from '../../../src/roles/event-subjects.ts';
import { contextOf } from '../../support/context.ts';
import { seedSession, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';
import { faulty, openApi } from '../api-keys/open-api.ts';

export type EventsApi = Awaited<ReturnType<typeof openEventsApi>>;

export interface Fact {
  id?: string;
  accountId: string;
  mode?: Mode;
  type?: string;
  sessionId?: string | null;
  messageId?: string | null;
  data?: object;
  at?: Date;
}

/** Announces a fact in a transaction of its own, or in the client's; returns the event's UUID. */
export async function announce(db: Pick<TestDatabase['owner'], 'query'>, fact: Fact): Promise<string> {
  const id = fact.id ?? newUuid();
  await db.query('select app.announce($1, $2, $3, $4, $5, $6, $7, $8)', [
    id,
    fact.accountId,
    fact.mode ?? 'test',
    fact.type ?? 'session.status',
    fact.sessionId ?? null,
    fact.messageId ?? null,
    fact.data ?? { id: fact.sessionId, status: 'connected', phone: null, code: null, detail: null },
    fact.at ?? new Date(),
  ]);
  return id;
}

/** Resolves when nothing written so far can be overtaken: other tests' transactions share the server. */
export async function settle({ owner }: Pick<TestDatabase, 'owner'>): Promise<void> {
  const { rows } = await owner.query<{ txid: string }>('select pg_current_xact_id()::text as txid');
  const settled = async () => {
    const look = await owner.query<{ yes: boolean }>(
      'select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 as yes',
      [rows[0]?.txid],
    );
    return look.rows[0]?.yes;
  };
  await expect.poll(settled, { interval: 5 }).toBe(true);
}

/** The parts of events in one process. */
export async function openParts({ database, vault, url }: Pick<TestDatabase, 'database' | 'vault' | 'url'>) {
  const clock = systemClock;
  const log = silentLog;
  const notices = createNotices({ url, clock, log });
  const notifier = createEventNotifier({ database, log, onWork: () => undefined });
  const messages = createMessagesService({
    database,
    vault,
    newUuid,
    randomBytes,
    clock,
    waker: { wake: () => undefined },
    onFact: notifier.notify,
  });
  const reader = createEventReader({
    ...{ database, vault, log },
    loadMessages: messages.load,
    subjects: eventSubjects({ database, vault }),
  });
  const hub = await createEventHub({ reader, notices, clock, log });
  const events = createEventsService({ database, reader, hub, clock });
  return {
    notifier,
    messages,
    reader,
    hub,
    events,
    async close() {
      hub.close();
      await notifier.flush();
      await notices.close();
    },
  };
}

/** The API with events, real messages and real notices. */
export async function openEventsApi() {
  const opened: Awaited<ReturnType<typeof openParts>>[] = [];
  const api = await openApi(async ({ db, faults }) => {
    const parts = await openParts({ ...db, database: faulty(db.database, faults) });
    opened.push(parts);
    return eventRoutes(parts.events, EVENT_DATA);
  });
  const [parts] = opened;
  if (parts === undefined) throw new Error('no parts');
  return {
    ...api,
    ...parts,
    /** Sends a text from a fresh session of the account. */
    async send(accountId: string, text: string, mode: Mode = 'test') {
      const sessionId = await seedSession(api.db, accountId, { mode });
      const sent = await parts.messages.send(contextOf(accountId, mode), {
        sessionId,
        to: '919876543210',
        text,
        contextMessageId: undefined,
        idempotency: undefined,
      });
      if (sent.replay !== undefined) throw new Error('replayed');
      return { sessionId, message: sent.message, messageId: fromId('message', sent.message.id) ?? '' };
    },
    async close() {
      // Streams first: they hold the server open.
      await api.edge.close();
      await parts.close();
      await api.close();
    },
  };
}

/** An event as a stream shows it. */
export interface StreamedEvent {
  id: string;
  type: string;
  data: { id: string; type: string; session_id: string | null; data: Record<string, unknown> };
}

/** Opens the stream of a key and gathers its events. */
export async function follow(url: string, key: string, query = '', headers: Record<string, string> = {}) {
  let text = '';
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/v1/events/stream${query}`, { headers: { 'x-api-key': key, ...headers } }, resolve).on(
      'error',
      reject,
    );
  });
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  response.on('error', () => undefined);
  const events = (): StreamedEvent[] =>
    [...text.matchAll(/^id: (.*)\nevent: (.*)\ndata: (.*)\n\n/gm)].map(
      ([, id = '', type = '', data = '']) => ({
        id,
        type,
        data: JSON.parse(data),
      }),
    );
  return { response, text: () => text, events, close: () => response.destroy() };
}
