import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import type { MessageRow } from '../../../src/features/messages/messages.model.ts';
import {
  createProgressWriter,
  type Progress,
  type ProgressWriter,
} from '../../../src/features/messages/progress-writer.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { cuttable, factsOf, messageNow, moveLease, seedHold, seedMessage } from './lane-fixture.ts';

let db: TestDatabase;
let link: ReturnType<typeof cuttable>;
let hold: LaneHold;
let message: MessageRow;
let writer: ProgressWriter;
let told: string[];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  hold = await seedHold(db);
  message = await seedMessage(db, hold);
  link = cuttable(db.database);
  told = [];
  writer = createProgressWriter({ database: link, newUuid, onFact: (account) => told.push(account) });
});

const at = new Date('2026-11-21T09:00:00Z');
type OutcomeNews = Extract<Progress, { kind: 'outcome' }>;
const outcome = (status: OutcomeNews['status'], more: Partial<OutcomeNews> = {}): Progress => ({
  ...{ kind: 'outcome', id: message.id, sessionId: hold.sessionId, epoch: hold.epoch, status, at },
  ...more,
});
const receipt = (status: 'delivered' | 'read' | 'played', wireId = message.wire_id): Progress => ({
  ...{ kind: 'receipt', sessionId: hold.sessionId, epoch: hold.epoch, wireId, status, at },
});
const writeAll = (news: Progress[]) => Promise.all(news.map((one) => writer.write(one)));
const now = () => messageNow(db, message.id);

describe('progress', () => {
  it('is written in batches, and announced once each with the right type, in the order of the steps', async () => {
    await writeAll([
      receipt('read'),
      receipt('delivered'),
      outcome('sent', { lid: '42' }),
      receipt('played'),
    ]);
    expect(link.transactions).toBe(1);
    await expect(now()).resolves.toMatchObject({
      ...{
        status: 'played',
        sent_at: at,
        delivered_at: at,
        read_at: at,
        played_at: at,
        contact_lid: '42',
        attempts: 1,
      },
    });
    const steps = ['message.sent', 'message.delivered', 'message.read', 'message.played'];
    await expect(factsOf(db, message.id)).resolves.toEqual(steps);
    expect(told).toEqual([hold.accountId]);

    await writeAll([receipt('read'), outcome('sent'), receipt('delivered')]);
    await expect(factsOf(db, message.id)).resolves.toEqual(steps);
  });

  it('of many messages of many sessions costs one transaction', async () => {
    const other = await seedHold(db, hold.accountId);
    const theirs = await Promise.all(Array.from({ length: 100 }, () => seedMessage(db, other)));
    await writeAll([
      outcome('sent'),
      ...theirs.map(
        ({ id }): Progress => ({
          kind: 'outcome',
          id,
          sessionId: other.sessionId,
          epoch: 1,
          status: 'sent',
          at,
        }),
      ),
    ]);
    expect(link.transactions).toBe(1);
    const { rows } = await db.owner.query(
      `select count(*)::int as n from messages where status = 'sent' and account_id = $1`,
      [hold.accountId],
    );
    expect(rows).toEqual([{ n: 101 }]);
  });

  it('records when a message was sent even where its receipts were faster', async () => {
    await writer.write(receipt('delivered'));
    await writer.write(outcome('sent'));
    await expect(now()).resolves.toMatchObject({ status: 'delivered', sent_at: at, delivered_at: at });
    await expect(factsOf(db, message.id)).resolves.toEqual(['message.delivered', 'message.sent']);
  });

  it('records when a message was delivered even where "read" was faster', async () => {
    await writer.write(receipt('read'));
    await writer.write(receipt('delivered'));
    await expect(now()).resolves.toMatchObject({ status: 'read', delivered_at: at, read_at: at });
  });

  it('"failed" never overrides "delivered", and nothing overrides "failed"', async () => {
    await writer.write(receipt('delivered'));
    await writer.write(outcome('failed', { errorCode: 'message.refused' }));
    await expect(now()).resolves.toMatchObject({ status: 'delivered', error_code: null, failed_at: null });

    message = await seedMessage(db, hold);
    await writer.write(
      outcome('failed', { errorCode: 'message.refused', errorDetail: 'No.', wireCode: 463 }),
    );
    await writer.write(receipt('delivered'));
    await writer.write(outcome('sent'));
    await expect(now()).resolves.toMatchObject({
      status: 'failed',
      failed_at: at,
      wire_code: 463,
      delivered_at: null,
    });
    await expect(factsOf(db, message.id)).resolves.toEqual(['message.failed']);
  });

  it('"queued" again waits until its time, and a late "sending" changes nothing of that', async () => {
    const notBefore = new Date(Date.now() + 60_000);
    await writer.write(outcome('queued', { notBefore, errorCode: 'message.rate_limited', wireCode: 429 }));
    await writer.write(outcome('sending'));
    await expect(now()).resolves.toMatchObject({
      not_before: notBefore,
      error_code: 'message.rate_limited',
      attempts: 1,
    });
    await writer.write(outcome('sent'));
    await expect(now()).resolves.toMatchObject({ status: 'sent', error_code: null, attempts: 2 });
  });

  it('"sending" in one batch with "sent" does not swallow it', async () => {
    await writeAll([outcome('sent'), outcome('sending')]);
    await expect(now()).resolves.toMatchObject({ status: 'sent' });
  });

  it('does not touch messages that came in, or another session with the same WhatsApp id', async () => {
    const inbound = await seedMessage(db, hold, { direction: 'inbound', status: 'received' });
    const other = await seedMessage(db, await seedHold(db), { wire_id: inbound.wire_id });
    await writer.write(receipt('read', inbound.wire_id));
    await expect(messageNow(db, inbound.id)).resolves.toMatchObject({ status: 'received', read_at: null });
    await expect(messageNow(db, other.id)).resolves.toMatchObject({ status: 'queued' });
  });
});

describe('progress under a lease that has moved on', () => {
  it('changes nothing, and a receipt is handed back, so that WhatsApp brings it again', async () => {
    await moveLease(db, hold);
    await writer.write(outcome('sent'));
    await expect(writer.write(receipt('delivered'))).rejects.toThrow('another worker');
    await expect(now()).resolves.toMatchObject({ status: 'queued', attempts: 0 });
    await expect(factsOf(db, message.id)).resolves.toEqual([]);
    expect(told).toEqual([]);
  });

  it('does not stand in the way of the new holder in the same batch', async () => {
    const moved = await moveLease(db, hold);
    await Promise.allSettled([
      writer.write(outcome('sent', { epoch: moved.epoch })),
      writer.write(outcome('failed')),
      writer.write({ kind: 'receipt', ...moved, wireId: message.wire_id, status: 'read', at }),
      writer.write(receipt('read')),
    ]);
    await expect(now()).resolves.toMatchObject({ status: 'read', sent_at: at });
  });
});

describe('while the database is away', () => {
  it('writing rejects, and the caller can write the same again', async () => {
    link.isCut = true;
    const results = await Promise.allSettled([
      writer.write(outcome('sent')),
      writer.write(receipt('delivered')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    link.isCut = false;
    await writeAll([outcome('sent'), receipt('delivered')]);
    await expect(now()).resolves.toMatchObject({ status: 'delivered' });
    await expect(factsOf(db, message.id)).resolves.toEqual(['message.sent', 'message.delivered']);
  });

  it('news that Postgres refuses fails alone', async () => {
    const results = await Promise.allSettled([
      writer.write(outcome('sent')),
      writer.write(receipt('read', 'a\0b')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(now()).resolves.toMatchObject({ status: 'sent' });
  });
});
