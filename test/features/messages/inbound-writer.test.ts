import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  createLaneMessages,
  type LaneHold,
  type LaneMessages,
} from '../../../src/features/messages/lane.service.ts';
import { openContent } from '../../../src/features/messages/message-content.ts';
import type { MessageRow } from '../../../src/features/messages/messages.model.ts';
import { createMessagesService } from '../../../src/features/messages/messages.service.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import type { InboundMessage } from '../../../src/whatsapp/socket.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { cuttable, factsOf, moveLease, seedHold, seedMessage } from './lane-fixture.ts';

let db: TestDatabase;
let link: ReturnType<typeof cuttable>;
let hold: LaneHold;
let lane: LaneMessages;
let told: string[];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  hold = await seedHold(db);
  link = cuttable(db.database);
  told = [];
  const { vault } = db;
  lane = createLaneMessages({
    database: link,
    vault,
    newUuid,
    clock: systemClock,
    onFact: (account) => told.push(account),
  });
});

let count = 0;
const sentAt = new Date('2026-11-21T09:00:00Z');
const asha = { phone: '919876543210', lid: '182731923847561' };
function text(body: string, more: Partial<InboundMessage> = {}): InboundMessage {
  return {
    wireId: `W${++count}`,
    chat: asha,
    fromMe: false,
    sentAt,
    content: { type: 'text', body },
    ...more,
  };
}

async function stored(of = hold): Promise<MessageRow[]> {
  const { rows } = await db.owner.query<MessageRow>(
    'select * from messages where session_id = $1 order by id',
    [of.sessionId],
  );
  return rows;
}
async function bodies(): Promise<unknown[]> {
  const cipher = await db.vault.of(hold.accountId);
  return (await stored()).map((row) => row.content && openContent(row.content, row.id, cipher));
}

describe('a message from WhatsApp', () => {
  it('is stored with its fact, sealed', async () => {
    await lane.receive(hold, [text('good morning', { wireId: 'ABC', pushName: 'Asha' })]);
    const [row] = await stored();
    expect(row).toMatchObject({
      ...{
        direction: 'inbound',
        status: 'received',
        wire_id: 'ABC',
        mode: 'test',
        account_id: hold.accountId,
      },
      ...{
        contact_phone: asha.phone,
        contact_lid: asha.lid,
        contact_name: 'Asha',
        type: 'text',
        sent_at: sentAt,
      },
    });
    expect(row?.content?.includes('good morning')).toBe(false);
    await expect(bodies()).resolves.toEqual([{ text: { body: 'good morning' } }]);
    await expect(factsOf(db, row?.id ?? '')).resolves.toEqual(['message.received']);
    expect(told).toEqual([hold.accountId]);
  });

  it('was created when it arrived, whenever it was sent, and is listed by that', async () => {
    const messages = createMessagesService({
      ...{ database: db.database, vault: db.vault, newUuid, randomBytes, clock: systemClock },
      ...{ waker: { wake: () => undefined }, onFact: () => undefined },
    });
    const late = new Date(Date.now() - 3_600_000);
    const before = Date.now();
    await lane.receive(hold, [
      text('late', { sentAt: late }),
      text('by hand', { sentAt: late, fromMe: true }),
    ]);
    const context = contextOf(hold.accountId);
    const list = (filter: object) => messages.list(context, { limit: 10, ...filter });
    const found = (await list({})).map(({ message }) => message);
    for (const { created_at: createdAt } of found)
      expect(Date.parse(createdAt)).toBeGreaterThanOrEqual(before);
    expect(found.map(({ timestamps }) => timestamps)).toEqual([
      { sent: late.toISOString() },
      { received: found[1]?.created_at, sent: late.toISOString() },
    ]);
    await expect(list({ since: new Date(found[1]?.created_at ?? 0) })).resolves.toHaveLength(2);
    await expect(list({ until: new Date(before) })).resolves.toEqual([]);
  });

  it('is announced with the time when it was sent', async () => {
    await lane.receive(hold, [text('good morning')]);
    const { rows } = await db.owner.query<{ data: { sent_at: string } }>(
      'select data from events where session_id = $1',
      [hold.sessionId],
    );
    expect(rows).toMatchObject([{ data: { status: 'received' } }]);
    expect(new Date(rows[0]?.data.sent_at ?? 0)).toEqual(sentAt);
  });

  it('of a kind that is not handled is stored as such', async () => {
    await lane.receive(hold, [text('', { content: { type: 'unsupported', kind: 'pollCreationMessage' } })]);
    await expect(stored()).resolves.toMatchObject([{ type: 'unsupported' }]);
    await expect(bodies()).resolves.toEqual([{ unsupported: { kind: 'pollCreationMessage' } }]);
  });

  it('written on the phone itself is stored as outbound and sent', async () => {
    await lane.receive(hold, [text('from my phone', { fromMe: true })]);
    const [row] = await stored();
    expect(row).toMatchObject({ direction: 'outbound', status: 'sent', sent_at: sentAt });
    await expect(factsOf(db, row?.id ?? '')).resolves.toEqual(['message.sent']);
  });

  it('may come from someone of whom only the LID is known', async () => {
    await lane.receive(hold, [text('hi', { chat: { lid: '77' } })]);
    await expect(stored()).resolves.toMatchObject([{ contact_phone: null, contact_lid: '77' }]);
  });

  it('teaches which LID and number are one person, and follows a change', async () => {
    await lane.receive(hold, [text('1'), text('2', { chat: { lid: '77' } })]);
    const learnt = async () =>
      (
        await db.owner.query('select lid, phone from contact_identities where account_id = $1', [
          hold.accountId,
        ])
      ).rows;
    await expect(learnt()).resolves.toEqual([asha]);
    await lane.receive(hold, [text('3', { chat: { ...asha, phone: '14155550100' } })]);
    await expect(learnt()).resolves.toEqual([{ ...asha, phone: '14155550100' }]);
  });

  it('is linked to the message that it quotes, stored before or in the same batch', async () => {
    const sent = await seedMessage(db, hold, { status: 'sent' });
    await lane.receive(hold, [
      text('reply', { quotedWireId: sent.wire_id }),
      text('first', { wireId: 'first' }),
      text('second', { quotedWireId: 'first' }),
      text('third', { quotedWireId: 'nobody knows' }),
    ]);
    const [, reply, first, second, third] = await stored();
    expect(reply).toMatchObject({ context_message_id: sent.id, context_wire_id: sent.wire_id });
    expect(second).toMatchObject({ context_message_id: first?.id, context_wire_id: 'first' });
    expect(third).toMatchObject({ context_message_id: null, context_wire_id: 'nobody knows' });
  });

  it('is stored whatever its sender is called', async () => {
    await lane.receive(hold, [text('hi', { pushName: 'a\0b\ud800' })]);
    await expect(stored()).resolves.toMatchObject([{ contact_name: 'ab\ufffd' }]);
  });
});

describe('a message that WhatsApp repeats', () => {
  it('is stored once: within a batch, at the same time, and later', async () => {
    const message = text('once', { wireId: 'X' });
    await lane.receive(hold, [message, message]);
    await Promise.all(Array.from({ length: 20 }, () => lane.receive(hold, [message])));
    await lane.receive(hold, [message, text('other')]);
    await expect(bodies()).resolves.toEqual([{ text: { body: 'once' } }, { text: { body: 'other' } }]);
    const { rows } = await db.owner.query('select type from events where account_id = $1', [hold.accountId]);
    expect(rows).toHaveLength(2);
  });

  it('in two batches at once is stored once', async () => {
    // More than one batch holds; DataLoader would have written them side by side.
    const first = Array.from({ length: 100 }, (_, i) => text(`${i}`, { wireId: `many-${i}` }));
    await Promise.all([lane.receive(hold, first), lane.receive(hold, first)]);
    await expect(stored()).resolves.toHaveLength(100);
  });

  it('is another one in another session', async () => {
    const other = await seedHold(db, hold.accountId);
    const message = text('to both', { wireId: 'X' });
    await Promise.all([lane.receive(hold, [message]), lane.receive(other, [message])]);
    await expect(stored()).resolves.toHaveLength(1);
    await expect(stored(other)).resolves.toHaveLength(1);
  });
});

describe('many messages', () => {
  it('of many sessions are stored in few transactions, each for its own account, in the order they came', async () => {
    const holds = await Promise.all(Array.from({ length: 5 }, () => seedHold(db)));
    for (const { accountId } of holds) await db.vault.of(accountId);
    await Promise.all(
      holds.map((of) =>
        lane.receive(
          of,
          Array.from({ length: 10 }, (_, i) => text(`${i}`)),
        ),
      ),
    );
    expect(link.transactions).toBe(1);
    for (const of of holds) {
      const rows = await stored(of);
      expect(rows.every((row) => row.account_id === of.accountId)).toBe(true);
      expect(rows.map((row) => row.wire_id)).toEqual(
        [...rows].map((row) => row.wire_id).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
      );
    }
  });

  it('are not held up by one that Postgres refuses', async () => {
    const other = await seedHold(db);
    const results = await Promise.allSettled([
      lane.receive(hold, [text('good')]),
      lane.receive(other, [text('bad', { wireId: 'a\0b' })]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(stored()).resolves.toHaveLength(1);
  });
});

describe('receiving is refused, so that WhatsApp keeps the message,', () => {
  it('when another worker holds the session', async () => {
    await moveLease(db, hold);
    await expect(lane.receive(hold, [text('late')])).rejects.toThrow('another worker');
    await expect(stored()).resolves.toEqual([]);
  });

  it('also where the new holder writes in the same batch', async () => {
    const moved = await moveLease(db, hold);
    const results = await Promise.allSettled([
      lane.receive(hold, [text('stale')]),
      lane.receive(moved, [text('fresh')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    await expect(bodies()).resolves.toEqual([{ text: { body: 'fresh' } }]);
  });

  it('while the database is away', async () => {
    const message = text('later');
    link.isCut = true;
    await expect(lane.receive(hold, [message])).rejects.toMatchObject({
      code: 'service.database_unavailable',
    });
    link.isCut = false;
    await lane.receive(hold, [message]);
    await expect(stored()).resolves.toHaveLength(1);
  });
});
