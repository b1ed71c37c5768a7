import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import {
  createMessagesService,
  type MessagesService,
} from '../../../src/features/messages/messages.service.ts';
import type { SendInput } from '../../../src/features/messages/send-message.ts';
import { fromId, newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';
import { seedHold, seedMessage } from './lane-fixture.ts';

let db: TestDatabase;
let account: string;
let messages: MessagesService;
let woken: unknown[];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  account = await seedAccount(db);
  woken = [];
  messages = createMessagesService({
    database: db.database,
    vault: db.vault,
    waker: { wake: (session) => woken.push(session) },
    newUuid,
    randomBytes,
    clock: systemClock,
    onFact: () => undefined,
  });
});

function text(body: string, more: Partial<SendInput> = {}): SendInput {
  return {
    sessionId: undefined,
    to: '919876543210',
    text: body,
    contextMessageId: undefined,
    idempotency: undefined,
    ...more,
  };
}

async function send(input: SendInput) {
  const sent = await messages.send(contextOf(account), input);
  if (sent.replay) throw new Error('was replayed');
  return sent.message;
}

function idempotency(key: string, body: string): SendInput['idempotency'] {
  return {
    key,
    requestHash: Buffer.from(body),
    answer: (message) => ({ status: 202, text: JSON.stringify(message) }),
  };
}

describe('accepting a message', () => {
  it('stores it as queued with its fact and wakes the worker that holds the session', async () => {
    const sessionId = await seedSession(db, account);
    const owner = newUuid();
    await db.owner.query(
      `update session_leases set owner = $2, expires_at = now() + interval '1 minute' where session_id = $1`,
      [sessionId, owner],
    );
    const message = await send(text('hello'));
    expect(message).toMatchObject({
      status: 'queued',
      direction: 'outbound',
      to: '+919876543210',
      text: { body: 'hello' },
    });
    expect(message.timestamps).toHaveProperty('queued');
    expect(woken).toEqual([{ id: sessionId, mode: 'test', owner }]);
    const { rows } = await db.owner.query('select type, data from events where message_id = $1', [
      fromId('message', message.id),
    ]);
    expect(rows).toEqual([{ type: 'message.queued', data: { status: 'queued' } }]);
  });

  it('keeps the text out of the row', async () => {
    await seedSession(db, account);
    const message = await send(text('a very secret text'));
    const { rows } = await db.owner.query('select m::text as raw from messages m where id = $1', [
      fromId('message', message.id),
    ]);
    expect(rows[0].raw).not.toContain(Buffer.from('secret').toString('hex'));
    await expect(messages.get(contextOf(account), fromId('message', message.id) ?? '')).resolves.toEqual(
      message,
    );
  });

  it('finds the session by itself only when exactly one is connected', async () => {
    await expect(send(text('x'))).rejects.toMatchObject({ code: 'message.session_ambiguous' });
    await seedSession(db, account);
    await send(text('x'));
    await seedSession(db, account);
    await expect(send(text('x'))).rejects.toMatchObject({
      code: 'message.session_ambiguous',
      fields: [{ pointer: '/session' }],
    });
  });

  it('takes the one that is coming back when none is connected, and the connected one when another is away', async () => {
    const away = await seedSession(db, account, { status: 'disconnected' });
    expect((await send(text('x'))).session).toBe(toId('session', away));
    const connected = await seedSession(db, account);
    expect((await send(text('x'))).session).toBe(toId('session', connected));
  });

  it.each([
    ['logged_out', null],
    ['pairing', null],
    ['banned', '919876500000'],
  ])('refuses a session that is %s, naming the field', async (status, phone) => {
    const sessionId = await seedSession(db, account, { status, phone });
    await expect(send(text('x', { sessionId }))).rejects.toMatchObject({
      code: 'message.session_not_linked',
      fields: [{ pointer: '/session' }],
    });
  });

  it('takes messages for a session that will be back by itself', async () => {
    const sessionId = await seedSession(db, account, { status: 'disconnected' });
    await expect(send(text('x', { sessionId }))).resolves.toMatchObject({ status: 'queued' });
  });

  it("does not see another account's session, or one of the other mode", async () => {
    const foreign = await seedSession(db, await seedAccount(db));
    await expect(send(text('x', { sessionId: foreign }))).rejects.toMatchObject({
      code: 'message.session_not_found',
    });
    const live = await seedSession(db, account, { mode: 'live' });
    await expect(send(text('x', { sessionId: live }))).rejects.toMatchObject({
      code: 'message.session_not_found',
    });
  });

  it('replies to a message of the same session only', async () => {
    const sessionId = await seedSession(db, account);
    const first = await send(text('first', { sessionId }));
    const reply = await send(text('reply', { sessionId, contextMessageId: fromId('message', first.id) }));
    expect(reply.context).toMatchObject({ message_id: first.id });
    await expect(send(text('x', { sessionId, contextMessageId: newUuid() }))).rejects.toMatchObject({
      code: 'message.context_not_found',
      fields: [{ pointer: '/context/message_id' }],
    });
  });

  it("says WhatsApp's id of the message replied to, at once and to a repeat", async () => {
    const sessionId = await seedSession(db, account);
    const first = await send(text('first', { sessionId }));
    const input = text('reply', {
      sessionId,
      contextMessageId: fromId('message', first.id),
      idempotency: idempotency('k', 'reply'),
    });
    const reply = await send(input);
    expect(reply.context).toEqual({ message_id: first.id, whatsapp_id: first.whatsapp_id });
    await expect(messages.send(contextOf(account), input)).resolves.toEqual({
      replay: { status: 202, text: JSON.stringify(reply) },
    });
    await expect(messages.get(contextOf(account), fromId('message', reply.id) ?? '')).resolves.toEqual(reply);
  });
});

describe('a reply', () => {
  const asha = '919800000001';
  const ravi = '919800000002';
  let hold: LaneHold;
  beforeEach(async () => {
    hold = await seedHold(db, account);
  });
  const replyTo = (to: string, { id }: { id: string }) =>
    send(text('reply', { sessionId: hold.sessionId, to, contextMessageId: id }));
  const refusal = { code: 'message.context_not_found', fields: [{ pointer: '/context/message_id' }] };
  const learn = (phone: string, lid: string) =>
    db.owner.query(
      `insert into contact_identities (account_id, mode, lid, phone) values ($1, 'test', $2, $3)`,
      [account, lid, phone],
    );

  it('does not show a contact what another one wrote, or was written', async () => {
    const received = { direction: 'inbound', status: 'received', contact_lid: '11' } as const;
    const theirs = await seedMessage(db, hold, { ...received, contact_phone: asha });
    const ours = await seedMessage(db, hold, { status: 'sent', contact_phone: asha });
    const nameless = await seedMessage(db, hold, { ...received, contact_phone: null });
    await learn(ravi, '22');
    for (const message of [theirs, ours, nameless])
      await expect(replyTo(ravi, message)).rejects.toMatchObject(refusal);
    await expect(replyTo(asha, theirs)).resolves.toMatchObject({ status: 'queued' });
    await expect(replyTo(asha, ours)).resolves.toMatchObject({ status: 'queued' });
  });

  it('knows a contact by the LID of their number, as learnt by this account in this mode', async () => {
    const message = await seedMessage(db, hold, {
      direction: 'inbound',
      status: 'received',
      contact_phone: null,
      contact_lid: '11',
    });
    const other = await seedAccount(db);
    await db.owner.query(
      `insert into contact_identities (account_id, mode, lid, phone) values ($1, 'test', '11', $3), ($2, 'live', '11', $3)`,
      [other, account, asha],
    );
    await expect(replyTo(asha, message)).rejects.toMatchObject(refusal);
    await learn(asha, '11');
    await expect(replyTo(asha, message)).resolves.toMatchObject({ status: 'queued' });
  });

  it('knows them too by a spelling of their number that WhatsApp resolved when they were written to', async () => {
    const spelled = '5511987654321';
    const message = await seedMessage(db, hold, {
      direction: 'inbound',
      status: 'received',
      contact_phone: '551187654321',
      contact_lid: '33',
    });
    await expect(replyTo(spelled, message)).rejects.toMatchObject(refusal);
    await seedMessage(db, hold, { status: 'sent', contact_phone: spelled, contact_lid: '33' });
    await expect(replyTo(spelled, message)).resolves.toMatchObject({ status: 'queued' });
  });
});

describe('an idempotency key', () => {
  it('makes a repeat answer as the first time, and stores one message', async () => {
    const sessionId = await seedSession(db, account);
    const input = text('once', { sessionId, idempotency: idempotency('k', 'a') });
    const first = await send(input);
    const again = await messages.send(contextOf(account), input);
    expect(again).toEqual({ replay: { status: 202, text: JSON.stringify(first) } });
    await expect(messages.list(contextOf(account), { limit: 10, sessionId })).resolves.toHaveLength(1);
  });

  it('makes a repeat that names no session answer as the first time, whatever sessions there are now', async () => {
    const sessionId = await seedSession(db, account);
    const input = text('once', { idempotency: idempotency('k', 'a') });
    const first = await send(input);
    const replay = { replay: { status: 202, text: JSON.stringify(first) } };
    await seedSession(db, account);
    await expect(messages.send(contextOf(account), input)).resolves.toEqual(replay);
    await expect(send(text('other', { idempotency: idempotency('k', 'b') }))).rejects.toMatchObject({
      code: 'idempotency.key_reused',
    });
    await expect(send(text('new', { idempotency: idempotency('l', 'a') }))).rejects.toMatchObject({
      code: 'message.session_ambiguous',
    });
    await db.owner.query(`update sessions set status = 'logged_out' where account_id = $1`, [account]);
    await expect(messages.send(contextOf(account), input)).resolves.toEqual(replay);
    await expect(messages.list(contextOf(account), { limit: 10, sessionId })).resolves.toHaveLength(1);
  });

  it('stores one message for many repeats at once', async () => {
    const sessionId = await seedSession(db, account);
    const input = text('once', { sessionId, idempotency: idempotency('k', 'a') });
    await Promise.all(Array.from({ length: 20 }, () => messages.send(contextOf(account), input)));
    await expect(messages.list(contextOf(account), { limit: 10, sessionId })).resolves.toHaveLength(1);
  });

  it('refuses another body under the same key', async () => {
    const sessionId = await seedSession(db, account);
    await send(text('one', { sessionId, idempotency: idempotency('k', 'a') }));
    const other = messages.send(
      contextOf(account),
      text('two', { sessionId, idempotency: idempotency('k', 'b') }),
    );
    await expect(other).rejects.toMatchObject({ code: 'idempotency.key_reused' });
  });

  it('is free again when the message was refused', async () => {
    await expect(
      send(text('x', { sessionId: newUuid(), idempotency: idempotency('k', 'a') })),
    ).rejects.toThrow();
    const sessionId = await seedSession(db, account);
    await expect(send(text('x', { sessionId, idempotency: idempotency('k', 'a') }))).resolves.toMatchObject({
      status: 'queued',
    });
  });
});

describe('listing messages', () => {
  it('filters by session, contact under either name, direction, status and time, newest first', async () => {
    const sessionId = await seedSession(db, account);
    const [one, two] = [
      await send(text('1', { sessionId })),
      await send(text('2', { sessionId, to: '14155550100' })),
    ];
    const list = (filter: object) =>
      messages
        .list(contextOf(account), { limit: 10, ...filter })
        .then((found) => found.map(({ message }) => message.id));
    await expect(list({})).resolves.toEqual([two.id, one.id]);
    await expect(list({ contactPhone: '14155550100' })).resolves.toEqual([two.id]);
    await expect(list({ direction: 'inbound' })).resolves.toEqual([]);
    await expect(list({ status: 'queued', sessionId })).resolves.toHaveLength(2);
    await expect(list({ since: new Date(Date.now() + 60_000) })).resolves.toEqual([]);
    await expect(list({ until: new Date(Date.now() + 60_000) })).resolves.toHaveLength(2);
    await expect(list({ after: fromId('message', two.id) })).resolves.toEqual([one.id]);
  });
});
