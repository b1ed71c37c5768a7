import { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import pino from 'pino';
import { expect, test } from 'vitest';
import { BatchQueue } from '../../../src/whatsapp/baileys/batch-queue.ts';
import { closeReason } from '../../../src/whatsapp/baileys/close-reason.ts';
import { Credentials } from '../../../src/whatsapp/baileys/credentials.ts';
import { guardListeners } from '../../../src/whatsapp/baileys/guard-listeners.ts';
import { identityOf, signalAddress } from '../../../src/whatsapp/baileys/jid.ts';
import { CODECS } from '../../../src/whatsapp/baileys/key-codec.ts';
import { KeyedLock } from '../../../src/whatsapp/baileys/keyed-lock.ts';
import { baileysLogger } from '../../../src/whatsapp/baileys/log-adapter.ts';
import { Serial } from '../../../src/whatsapp/baileys/serial.ts';
import { skipAppState } from '../../../src/whatsapp/baileys/skip-app-state.ts';
import { takeListeners } from '../../../src/whatsapp/baileys/take-listeners.ts';
import { untilCommitted } from '../../../src/whatsapp/baileys/until-committed.ts';
import { LeaseLostError } from '../../../src/whatsapp/session-key-store.ts';
import { MemoryKeyStore } from '../support/memory-key-store.ts';
import { signalParty } from '../support/signal-party.ts';

/** As Baileys' own errors carry it. */
const withStatus = (message: string, statusCode: number) =>
  Object.assign(new Error(message), { output: { statusCode } });

test('Baileys’ logger lets sentences through, and nothing that Baileys puts beside them', () => {
  const lines: string[] = [];
  const logger = baileysLogger(pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }));
  const secrets = {
    node: { content: 'secret words' },
    creds: { private: 'secret key' },
    jid: '491700000001@s.whatsapp.net',
  };
  for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const)
    logger[level](secrets, `no session for 491700000001 at ${level}`);
  logger.child({ class: 'ns' }).error({ err: withStatus('device 491700000001 is gone', 401) }, 'failed');
  const log = lines.join('');
  expect(log).toContain('no session for … at warn');
  expect(log).toContain('device … is gone');
  expect(log).toContain('"status":401');
  for (const secret of ['secret', '491700000001', 'at info', 'at trace']) expect(log).not.toContain(secret);
});

test('how connections end, from Baileys’ errors', () => {
  const boom = (message: string, statusCode: number) => closeReason(withStatus(message, statusCode));
  expect(boom('Stream Errored (conflict)', 440)).toEqual({ code: 440, reason: 'Stream Errored (conflict)' });
  expect(boom('noise certificate signature invalid', 400).code).toBe('untrusted_server');
  expect(boom('certification match failed', 400).code).toBe('untrusted_server');
  expect(boom('Failed to verify account signature', 500).code).toBe('untrusted_server');
  expect(closeReason(new Error('odd'))).toEqual({ code: 500, reason: 'odd' });
  expect(closeReason(undefined).code).toBe('closed_by_us');
});

test('a queue hands over in order, together what came together, one batch at a time', async () => {
  const batches: number[][] = [];
  let running = 0;
  const queue = new BatchQueue<number>(async (batch) => {
    expect(++running).toBe(1);
    batches.push(batch);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  });
  for (let i = 0; i < 250; i++) queue.add(i);
  await expect.poll(() => batches.flat().length).toBe(250);
  queue.add(250);
  await expect.poll(() => batches.flat().length).toBe(251);
  expect(batches.map((batch) => batch.length)).toEqual([100, 100, 50, 1]);
  expect(batches.flat()).toEqual(Array.from({ length: 251 }, (_, i) => i));
});

test('serial tasks keep their order through failures', async () => {
  const serial = new Serial();
  const done: number[] = [];
  const task = (i: number) => async () => {
    done.push(i);
    if (i % 2) throw new Error(`${i}`);
  };
  await Promise.allSettled([0, 1, 2, 3, 4].map((i) => serial.run(task(i))));
  expect(done).toEqual([0, 1, 2, 3, 4]);
});

test('a lock keeps work on one key apart, and different keys together', async () => {
  const lock = new KeyedLock();
  const seen: string[] = [];
  const work = (key: string, i: number) =>
    lock.run(key, async () => {
      seen.push(`${key}${i} in`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.push(`${key}${i} out`);
    });
  await Promise.all([work('a', 1), work('a', 2), work('b', 1)]);
  expect(seen.filter((step) => step.startsWith('a'))).toEqual(['a1 in', 'a1 out', 'a2 in', 'a2 out']);
  expect(seen.indexOf('b1 in')).toBeLessThan(seen.indexOf('a1 out'));
});

test('a handler is asked again with growing waits, and given up in the end', async () => {
  const waits: number[] = [];
  const over = new AbortController();
  const parts = {
    clock: { now: () => new Date(), sleep: async (ms: number) => void waits.push(ms) },
    log: pino({ level: 'silent' }),
    random: () => 1,
    over: over.signal,
  };
  let calls = 0;
  const fail = async () => {
    calls++;
    throw new Error('down');
  };
  expect(await untilCommitted(fail, parts)).toBe('not_stored');
  expect(calls).toBe(10);
  expect(waits[0]).toBe(100);
  expect(waits.reduce((sum, ms) => sum + ms)).toBeGreaterThan(20_000);
  const lost = () => Promise.reject(new LeaseLostError('moved'));
  expect(await untilCommitted(lost, parts)).toBe('lease_lost');
  over.abort();
  expect(await untilCommitted(fail, parts)).toBe('over');
});

test('credentials survive storage byte for byte, and are written only when they changed', async () => {
  const store = new MemoryKeyStore();
  const first = await Credentials.load(store, () => undefined);
  expect(first.linked).toBe(false);
  const account = {
    details: Buffer.from('d'),
    accountSignature: Buffer.from('s'),
    accountSignatureKey: Buffer.from('k'),
  };
  Object.assign(first.value, { me: { id: '491700000001:2@s.whatsapp.net' }, account });
  await Promise.all([first.persist(), first.persist()]);
  await first.persist();
  expect(store.credentialWrites).toBe(1);
  const second = await Credentials.load(store, () => undefined);
  expect(second.linked).toBe(true);
  expect(second.value).toEqual(first.value);
});

test('credentials that cannot be read are an error, not a new identity', async () => {
  await expect(Credentials.load(new MemoryKeyStore(Buffer.from('{"a":1}')), () => undefined)).rejects.toThrow(
    'cannot be read',
  );
});

test('prekeys are stored in 64 bytes', () => {
  const pair = { private: Buffer.alloc(32, 1), public: Buffer.alloc(32, 2) };
  const bytes = CODECS['pre-key'].encode(pair);
  expect(bytes).toHaveLength(64);
  expect(CODECS['pre-key'].decode(bytes)).toEqual(pair);
});

test('what a listener throws or rejects with stays in the process, and a broken stream is told apart', async () => {
  const socket = new EventEmitter();
  const failed: string[] = [];
  socket.on('CB:message', (): unknown => Promise.reject(new Error('async')));
  socket.on('CB:presence', () => {
    throw new Error('sync');
  });
  socket.on('message', (): unknown => Promise.reject(new Error('bytes')));
  guardListeners(
    socket,
    (_, event) => failed.push(event),
    () => failed.push('broken'),
  );
  socket.emit('CB:message', {});
  socket.emit('CB:presence', {});
  socket.emit('message', Buffer.alloc(1));
  await expect.poll(() => failed.sort()).toEqual(['CB:message', 'CB:presence', 'broken']);
});

test('listeners that Baileys no longer has are noticed', async () => {
  const socket = new EventEmitter();
  expect(() => takeListeners(socket, 'CB:message')).toThrow('does not listen');
  const seen: string[] = [];
  socket.on('CB:message', ({ tag }: { tag: string }): unknown => Promise.resolve(seen.push(tag)));
  const run = takeListeners(socket, 'CB:message');
  socket.emit('CB:message', { tag: 'nobody listens' });
  await run({ tag: 'message', attrs: {} });
  expect(seen).toEqual(['message']);
});

test('news of the app state are acknowledged, all others are Baileys’', () => {
  const socket = new EventEmitter();
  const handled: string[] = [];
  socket.on('CB:notification', ({ attrs }: BinaryNode) => void handled.push(`baileys ${attrs['type']}`));
  skipAppState(socket, async ({ attrs }) => void handled.push(`acknowledged ${attrs['type']}`));
  for (const type of ['devices', 'server_sync', 'encrypt']) {
    socket.emit('CB:notification', { tag: 'notification', attrs: { type } });
  }
  expect(handled).toEqual(['baileys devices', 'acknowledged server_sync', 'baileys encrypt']);
});

test('addresses and identities', () => {
  expect(signalAddress('491700000001:3@s.whatsapp.net')).toEqual({ name: '491700000001', device: 3 });
  expect(signalAddress('1555@lid')).toEqual({ name: '1555_1', device: 0 });
  expect(() => signalAddress('1555:99@lid')).toThrow('hosted');
  expect(() => signalAddress('@s.whatsapp.net')).toThrow('not the jid');
  expect(identityOf('1555:2@lid', '491700000001@s.whatsapp.net', undefined, '12@g.us')).toEqual({
    phone: '491700000001',
    lid: '1555',
  });
});

test('numbers and LIDs: asked for once, kept, devices carried over', async () => {
  const asked: string[][] = [];
  const { mapping, cache, store } = signalParty({
    ask: async (jids) => {
      asked.push(jids);
      return jids.map((pn) => ({ pn, lid: `9${pn.slice(0, 4)}@lid` }));
    },
  });
  const jid = '491700000001:3@s.whatsapp.net';
  expect(await mapping.getLIDForPN(jid)).toBe('94917:3@lid');
  expect(await mapping.getLIDForPN(jid)).toBe('94917:3@lid');
  expect(asked).toEqual([['491700000001@s.whatsapp.net']]);
  expect(await mapping.getPNForLID('94917:3@lid')).toBe(jid);
  expect(await mapping.complete({ lid: '94917' })).toEqual({ phone: '491700000001', lid: '94917' });
  expect(await mapping.complete({ lid: '404' })).toEqual({ lid: '404' });
  await cache.persist();
  expect(store.count('lid-mapping')).toBe(2);
  expect(await mapping.note('491700000001', '94917')).toBe(false);
});
