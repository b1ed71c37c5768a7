import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createLaneMessages, type LaneHold } from '../../src/features/messages/lane.service.ts';
import type { Pacing } from '../../src/features/sessions/sessions.service.ts';
import { newUuid } from '../../src/lib/ids.ts';
import { WakeSignal } from '../../src/lib/wake-signal.ts';
import { runLane } from '../../src/sessions-pool/lane.ts';
import { createRecipients } from '../../src/sessions-pool/recipients.ts';
import { SendError } from '../../src/whatsapp/socket.ts';
import { cuttable, factsOf, messageNow, seedHold, seedMessage } from '../features/messages/lane-fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { createLeapClock, type LeapClock } from './support/leap-clock.ts';
import { ScriptedSocket } from './support/scripted-socket.ts';

let db: TestDatabase;
let link: ReturnType<typeof cuttable>;
let hold: LaneHold;
let socket: ScriptedSocket;
let clock: LeapClock;
let pacing: Pacing;
let wake: WakeSignal;
let stop: AbortController;
let stalls: number;
let ended: string[];
let lane: Promise<void> | undefined;

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  link = cuttable(db.database);
  hold = await seedHold(db);
  socket = new ScriptedSocket();
  clock = createLeapClock(new Date());
  pacing = { interval_ms: 0, jitter_ms: 0, typing: false, warm_up_days: 0 };
  wake = new WakeSignal();
  stop = new AbortController();
  stalls = 0;
  ended = [];
  lane = undefined;
});
afterEach(async () => {
  link.isCut = false;
  stop.abort();
  await lane;
});

function start(): Promise<void> {
  const messages = createLaneMessages({
    database: link,
    vault: db.vault,
    newUuid,
    clock,
    onFact: () => undefined,
  });
  const metrics = {
    sendEnded: (how: string) => ended.push(how),
    laneLag: () => {},
    sendTook: () => {},
    inbound: () => {},
    disconnected: () => {},
    receipt: () => {},
  };
  lane = runLane(
    { messages, recipients: createRecipients(messages), clock, random: () => 0.5, metrics, log: silentLog },
    {
      ...{ hold, socket, wake, signal: stop.signal, pacing: () => pacing, linkedAt: () => null },
      onStalled: () => {
        stalls++;
        stop.abort();
      },
    },
  );
  return lane;
}

const queue = async (...bodies: string[]) => {
  const made = [];
  for (const body of bodies) made.push(await seedMessage(db, hold, { body }));
  return made;
};
const one = async (body = 'hello') => {
  const [message] = await queue(body);
  if (message === undefined) throw new Error('nothing queued');
  return message;
};
const statusOf = async ({ id }: { id: string }) => (await messageNow(db, id)).status;
const inTurn = (n: number) => Array.from({ length: n }, (_, i) => `${i}`);

describe('a lane', () => {
  it('sends what is queued in the order accepted, each once, under the id chosen before', async () => {
    const messages = await queue(...inTurn(40));
    void start();
    for (const message of messages) await expect.poll(() => statusOf(message)).toBe('sent');
    expect(socket.bodies()).toEqual(inTurn(40));
    expect(socket.sent.map(({ wireId }) => wireId)).toEqual(messages.map(({ wire_id }) => wire_id));
    const [first] = messages;
    if (first) await expect(factsOf(db, first.id)).resolves.toEqual(['message.sent']);
  });

  it('sleeps when nothing is queued, and a wake-up starts it again', async () => {
    void start();
    await expect.poll(() => link.transactions).toBe(1);
    const message = await one();
    wake.raise();
    await expect.poll(() => statusOf(message)).toBe('sent');
  });

  it('waits for no more than a window of acks, and takes a message once while it is in flight', async () => {
    await queue(...inTurn(20));
    const acks: (() => void)[] = [];
    socket.onSend = () => new Promise((resolve) => acks.push(() => resolve({ sentAt: new Date() })));
    void start();
    await expect.poll(() => acks.length).toBe(16);
    wake.raise();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(socket.sent).toHaveLength(16);
    acks[3]?.();
    await expect.poll(() => acks.length).toBe(17);
    for (const ack of acks) ack();
    await expect.poll(() => acks.length).toBe(20);
    for (const ack of acks) ack();
    expect(new Set(socket.bodies()).size).toBe(20);
    expect(socket.bodies()).toEqual(inTurn(20));
  });

  it('paces: the interval between two sends, with jitter, and follows a change at once', async () => {
    await queue(...inTurn(6));
    pacing = { ...pacing, interval_ms: 1_000, jitter_ms: 500 };
    const times: number[] = [];
    socket.onSend = async () => {
      times.push(clock.elapsed());
      if (times.length === 4) pacing = { ...pacing, interval_ms: 0, jitter_ms: 0 };
      return { sentAt: new Date() };
    };
    void start();
    await expect.poll(() => times).toHaveLength(6);
    expect(times).toEqual([0, 1_250, 2_500, 3_750, 3_750, 3_750]);
  });

  it('shows "typing…" where the session does', async () => {
    await queue('a');
    pacing = { ...pacing, typing: true };
    void start();
    await expect.poll(() => socket.typing).toEqual([{ phone: '919876543210', lid: '9919876543210' }]);
  });

  it('types for as long as a person would before it sends, and sends no slower for it', async () => {
    await queue('a', 'b', 'c');
    pacing = { ...pacing, interval_ms: 2_000, typing: true };
    const steps: [string, number][] = [];
    socket.onTyping = () => steps.push(['typing', clock.elapsed()]);
    socket.onSend = async () => {
      steps.push(['sent', clock.elapsed()]);
      return { sentAt: new Date() };
    };
    void start();
    await expect.poll(() => steps).toHaveLength(6);
    expect(steps).toEqual([
      ...[
        ['typing', 0],
        ['sent', 500],
      ],
      ...[
        ['typing', 2_000],
        ['sent', 2_500],
      ],
      ...[
        ['typing', 4_000],
        ['sent', 4_500],
      ],
    ]);
  });

  it('that ends while it types leaves the message to the next', async () => {
    const message = await one();
    pacing = { ...pacing, interval_ms: 2_000, typing: true };
    socket.onTyping = () => stop.abort();
    await start();
    expect(socket.sent).toEqual([]);
    await expect(statusOf(message)).resolves.toBe('queued');
    stop = new AbortController();
    socket.onTyping = () => undefined;
    void start();
    await expect.poll(() => statusOf(message)).toBe('sent');
    expect(socket.bodies()).toEqual(['hello']);
  });

  it('shows a message as sending when its ack is slow', async () => {
    const message = await one();
    let ack = (): void => undefined;
    socket.onSend = () => new Promise((resolve) => (ack = () => resolve({ sentAt: new Date() })));
    void start();
    await expect.poll(() => statusOf(message)).toBe('sending');
    ack();
    await expect.poll(() => statusOf(message)).toBe('sent');
    await expect(factsOf(db, message.id)).resolves.toEqual(['message.sent']);
  });

  it('asks WhatsApp once who a number is, and remembers', async () => {
    const messages = await queue('a', 'b', 'c');
    void start();
    for (const message of messages) await expect.poll(() => statusOf(message)).toBe('sent');
    expect(socket.lookedUp).toEqual(['919876543210']);
    expect(socket.sent[2]?.to).toEqual({ phone: '919876543210', lid: '9919876543210' });
    const { rows } = await db.owner.query('select lid from contact_identities where account_id = $1', [
      hold.accountId,
    ]);
    expect(rows).toEqual([{ lid: '9919876543210' }]);
    await expect(messageNow(db, messages[0]?.id ?? '')).resolves.toMatchObject({
      contact_lid: '9919876543210',
    });
  });
});

describe('a message that does not go through', () => {
  it('because nothing left, comes first again', async () => {
    await queue('a', 'b', 'c');
    pacing = { ...pacing, interval_ms: 10 };
    let tries = 0;
    socket.onSend = async ({ content }) => {
      if (content.body === 'a' && ++tries < 3) throw new SendError('not_sent');
      return { sentAt: new Date() };
    };
    void start();
    await expect.poll(() => socket.bodies().at(-1)).toBe('c');
    expect(socket.bodies()).toEqual(['a', 'a', 'a', 'b', 'c']);
    expect(new Set(socket.sent.slice(0, 3).map(({ wireId }) => wireId)).size).toBe(1);
    expect(clock.elapsed()).toBeGreaterThan(500);
  });

  it('because the ack did not come, ends the connection, and the next lane sends it under the same id', async () => {
    const message = await one();
    socket.onSend = () => Promise.reject(new SendError('unacknowledged'));
    await start();
    expect(stalls).toBe(1);
    await expect(statusOf(message)).resolves.toBe('queued');
    stop = new AbortController();
    socket.onSend = async () => ({ sentAt: new Date() });
    void start();
    await expect.poll(() => statusOf(message)).toBe('sent');
    expect(socket.sent.map(({ wireId }) => wireId)).toEqual([message.wire_id, message.wire_id]);
  });

  it('because WhatsApp refuses it for good, fails with its code, and the next goes out', async () => {
    const [refused, next] = await queue('a', 'b');
    socket.onSend = async ({ content }) => {
      if (content.body === 'a') throw new SendError('refused', { wireCode: 463 });
      return { sentAt: new Date() };
    };
    void start();
    if (!refused || !next) throw new Error('nothing queued');
    await expect.poll(() => statusOf(next)).toBe('sent');
    await expect.poll(() => statusOf(refused)).toBe('failed');
    await expect(messageNow(db, refused.id)).resolves.toMatchObject({
      error_code: 'message.account_restricted',
      wire_code: 463,
    });
    expect([...ended].sort()).toEqual(['failed', 'sent']);
  });

  it('because WhatsApp refuses it for now, waits, and the next goes out; it fails when that happens too often', async () => {
    const [refused, next] = await queue('a', 'b');
    if (!refused || !next) throw new Error('nothing queued');
    socket.onSend = async ({ content }) => {
      if (content.body === 'a') throw new SendError('refused', { wireCode: 429 });
      return { sentAt: new Date() };
    };
    void start();
    await expect.poll(() => statusOf(next)).toBe('sent');
    await expect
      .poll(async () => (await messageNow(db, refused.id)).not_before?.getTime())
      .toBeGreaterThan(Date.now() + 20_000);
    for (let tries = 2; tries <= 5; tries++) {
      await expect.poll(async () => (await messageNow(db, refused.id)).attempts).toBe(tries - 1);
      await db.owner.query('update messages set not_before = null where id = $1', [refused.id]);
      wake.raise();
    }
    await expect.poll(() => statusOf(refused)).toBe('failed');
    expect(socket.bodies().filter((body) => body === 'a')).toHaveLength(5);
  });

  it('because its recipient is not on WhatsApp, fails with the code for that, and nothing is sent', async () => {
    const message = await one();
    socket.onLookUp = () => null;
    void start();
    await expect.poll(() => statusOf(message)).toBe('failed');
    await expect(messageNow(db, message.id)).resolves.toMatchObject({
      error_code: 'message.recipient_not_on_whatsapp',
    });
    await expect(factsOf(db, message.id)).resolves.toEqual(['message.failed']);
    expect(socket.sent).toEqual([]);
  });

  it('because WhatsApp did not say who the number is, is tried again', async () => {
    const message = await one();
    let asked = 0;
    socket.lookUp = async ([phone]) => {
      if (++asked === 1) throw new Error('timed out');
      return asked === 2 ? new Map() : new Map([[phone ?? '', { phone: phone ?? '' }]]);
    };
    void start();
    await expect.poll(() => statusOf(message)).toBe('sent');
    expect(asked).toBe(3);
  });
});

describe('while the database is away', () => {
  it('a sent message is not sent again: its outcome waits', async () => {
    const message = await one();
    socket.onSend = async () => {
      link.isCut = true;
      return { sentAt: new Date() };
    };
    void start();
    await expect.poll(() => socket.sent.length).toBe(1);
    wake.raise();
    await expect.poll(() => clock.elapsed()).toBeGreaterThan(20_000);
    expect(socket.sent).toHaveLength(1);
    link.isCut = false;
    await expect.poll(() => statusOf(message)).toBe('sent');
    wake.raise();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(socket.sent).toHaveLength(1);
  });

  it('the lane waits and goes on by itself', async () => {
    const message = await one();
    link.isCut = true;
    void start();
    await expect.poll(() => clock.elapsed()).toBeGreaterThan(5_000);
    link.isCut = false;
    await expect.poll(() => statusOf(message)).toBe('sent');
  });
});

describe('when its connection ends', () => {
  it('a lane ends, and leaves what was not sent to the next', async () => {
    const [flying, waiting] = await queue('a', 'b');
    pacing = { ...pacing, interval_ms: 1 };
    socket.onSend = () => {
      stop.abort();
      return Promise.reject(new SendError('closed'));
    };
    await start();
    expect(socket.bodies()).toEqual(['a']);
    for (const message of [flying, waiting])
      if (message) await expect(statusOf(message)).resolves.toBe('queued');
  });

  it('what was acknowledged is still written', async () => {
    const message = await one();
    socket.onSend = async () => {
      stop.abort();
      return { sentAt: new Date() };
    };
    await start();
    await expect(statusOf(message)).resolves.toBe('sent');
  });

  it('and the database is away at the same time, the lane still ends', async () => {
    await queue(...inTurn(3));
    socket.onSend = async ({ content }) => {
      link.isCut = true;
      if (content.body === '2') stop.abort();
      if (content.body === '1') throw new SendError('refused', { wireCode: 463 });
      return { sentAt: new Date() };
    };
    await expect(start()).resolves.toBeUndefined();
  });

  it('under a lease that has moved on, nothing is taken and nothing written', async () => {
    const message = await one();
    await db.owner.query('update session_leases set epoch = 2 where session_id = $1', [hold.sessionId]);
    void start();
    await expect.poll(() => link.transactions).toBe(1);
    expect(socket.sent).toEqual([]);
    await expect(statusOf(message)).resolves.toBe('queued');
  });
});
