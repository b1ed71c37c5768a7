import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { cuttable, messageNow, seedMessage } from '../features/messages/lane-fixture.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../support/database.ts';
import { leaseNow, sessionNow, startPool, statusesOf, type TestPool } from './support/pool-fixture.ts';
import type { ScriptedSocket } from './support/scripted-socket.ts';

let db: TestDatabase;
let account: string;
let link: ReturnType<typeof cuttable>;
let worker: TestPool;
const paired: string[] = [];

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  account = await seedAccount(db);
  link = cuttable(db.database);
  paired.length = 0;
  worker = await startPool(db, {
    database: link,
    autoPair: async (_, qr) => {
      paired.push(qr);
    },
  });
});
afterEach(async () => {
  link.isCut = false;
  await worker.pool.drain();
  await db.owner.query('delete from sessions');
});

const self = { phone: '919876500000', lid: '42', device: 3 };
const inAMinute = () => new Date(Date.now() + 60_000);
const opens = (socket: ScriptedSocket) => socket.handlers.onOpen(self);
const showsQr = (socket: ScriptedSocket) => socket.handlers.onQr({ text: '2@qr', expiresAt: inAMinute() });
const sockets = () => worker.network.sockets;
const status = async (id: string) => (await sessionNow(db, id)).status;

/** A session that was linked before, connected by this worker. */
async function connected(): Promise<string> {
  worker.network.script = opens;
  const id = await seedSession(db, account, { status: 'disconnected', phone: self.phone });
  await expect.poll(() => status(id)).toBe('connected');
  return id;
}
const fresh = (more = {}) => seedSession(db, account, { status: 'starting', phone: null, ...more });
const wish = (id: string, change: string) =>
  db.owner.query(`update sessions set ${change} where id = $1`, [id]);

describe('a new session', () => {
  it('shows a QR code, is linked, reconnects as WhatsApp asks, and is connected', async () => {
    worker.network.script = (socket) => {
      if (sockets().length > 1) return opens(socket);
      showsQr(socket);
    };
    const id = await fresh();
    await expect.poll(() => status(id)).toBe('pairing');
    await expect.poll(async () => (await sessionNow(db, id)).qr).toBe('2@qr');
    worker.network.last.handlers.onLinked(self);
    worker.network.last.end(515);
    await expect.poll(() => status(id)).toBe('connected');
    await expect(sessionNow(db, id)).resolves.toMatchObject({
      ...self,
      qr: null,
      linked_at: expect.any(Date),
    });
    await expect(statusesOf(db, id)).resolves.toEqual(['pairing', 'connecting', 'connected']);
    expect(sockets()).toHaveLength(2);
  });

  it('gets a pairing code when the customer asks, and again for another number', async () => {
    worker.network.script = (socket) => {
      socket.onPairingCode = async (phone) => `CODE${phone.slice(-4)}`;
      showsQr(socket);
    };
    const id = await fresh();
    await expect.poll(() => status(id)).toBe('pairing');
    for (const phone of ['14155550100', '14155550199']) {
      await wish(id, `pairing_phone = '${phone}', pairing_code = null`);
      worker.pool.look(id);
      await expect.poll(async () => (await sessionNow(db, id)).pairing_code).toBe(`CODE${phone.slice(-4)}`);
    }
  });

  it('says why WhatsApp gives no pairing code', async () => {
    worker.network.script = (socket) => {
      socket.onPairingCode = () => Promise.reject(new Error('rate-overlimit'));
      showsQr(socket);
    };
    const id = await fresh();
    await wish(id, `pairing_phone = '14155550100'`);
    await expect.poll(async () => (await sessionNow(db, id)).pairing_error).toBe('rate-overlimit');
  });

  it('with auto_pair hands its QR code to the sandbox', async () => {
    worker.network.script = showsQr;
    const id = await fresh();
    await wish(id, 'auto_pair = true');
    worker.pool.look(id);
    await expect.poll(() => sockets().length).toBe(1);
    showsQr(worker.network.last);
    await expect.poll(() => paired).toContain('2@qr');
  });

  it('stops asking when nobody scans', async () => {
    worker.network.script = (socket) => {
      showsQr(socket);
      setTimeout(() => socket.end(408), 20);
    };
    const id = await fresh();
    await expect.poll(() => status(id)).toBe('failed');
    await expect(sessionNow(db, id)).resolves.toMatchObject({ status_code: 'session.pairing_timed_out' });
    expect(sockets()).toHaveLength(3);
  });

  it('says when WhatsApp cannot be reached, and does not blame the customer', async () => {
    worker.network.script = (socket) => socket.end('connect_timeout');
    const id = await fresh();
    await expect.poll(() => sockets().length).toBeGreaterThan(4);
    await expect(sessionNow(db, id)).resolves.toMatchObject({
      status: 'starting',
      status_code: 'session.connect_timeout',
    });
    worker.network.script = showsQr;
    await expect.poll(() => status(id)).toBe('pairing');
    await expect(sessionNow(db, id)).resolves.toMatchObject({ status_code: null });
  });
});

describe('a connection that ends', () => {
  it.each([
    [408, 'session.timed_out'],
    [428, 'session.connection_closed'],
    [503, 'session.whatsapp_unavailable'],
    ['connect_timeout', 'session.connect_timeout'],
    ['not_stored', 'session.not_stored'],
  ] as const)('with %s is opened again after a while, which is shown', async (code, shown) => {
    const id = await connected();
    worker.network.last.end(code);
    await expect.poll(() => sockets().length).toBe(2);
    await expect.poll(() => status(id)).toBe('connected');
    await expect(statusesOf(db, id)).resolves.toEqual([
      'connecting',
      'connected',
      'disconnected',
      'connecting',
      'connected',
    ]);
    const { rows } = await db.owner.query(
      `select data->>'code' as code from events where session_id = $1 and data->>'status' = 'disconnected'`,
      [id],
    );
    expect(rows).toEqual([{ code: shown }]);
  });

  it.each([515, 'ack_timeout'] as const)(
    'with %s is opened again at once, which nobody need know',
    async (code) => {
      const id = await connected();
      worker.network.last.end(code);
      await expect.poll(() => sockets().length).toBe(2);
      await expect.poll(() => worker.pool.states()).toEqual(new Map([['open', 1]]));
      await expect(statusesOf(db, id)).resolves.toEqual(['connecting', 'connected']);
    },
  );

  it('with 515 over and over backs off', async () => {
    worker.network.script = (socket) => socket.end(515);
    const id = await seedSession(db, account, { phone: self.phone });
    await expect.poll(() => status(id)).toBe('disconnected');
    expect(sockets().length).toBeLessThanOrEqual(4);
  });

  it.each([
    [440, 'replaced', 'session.replaced'],
    [405, 'failed', 'session.client_outdated'],
    ['untrusted_server', 'failed', 'session.untrusted_server'],
    [402, 'banned', 'session.temporarily_banned'],
  ] as const)('with %s stops as %s, and keeps the link and the queue', async (code, shown, statusCode) => {
    const id = await connected();
    const waiting = await seedMessage(db, { ...hold(id) }, { not_before: inAMinute() });
    worker.network.last.end(code);
    await expect.poll(() => status(id)).toBe(shown);
    await expect(sessionNow(db, id)).resolves.toMatchObject({ phone: self.phone, status_code: statusCode });
    await expect.poll(() => leaseNow(db, id)).toMatchObject({ owner: null, wanted: false });
    await expect(messageNow(db, waiting.id)).resolves.toMatchObject({ status: 'queued' });
    expect(sockets()).toHaveLength(1);
  });

  it.each([
    [401, 'logged_out', 'session.logged_out'],
    [403, 'banned', 'session.banned'],
  ] as const)(
    'with %s stops as %s, forgets the link and fails what was queued',
    async (code, shown, statusCode) => {
      const id = await connected();
      await worker.network.last.options?.keys.saveCredentials(Buffer.from('x'));
      const waiting = await seedMessage(db, hold(id), { not_before: inAMinute() });
      worker.network.last.end(code);
      await expect.poll(() => status(id)).toBe(shown);
      await expect(sessionNow(db, id)).resolves.toMatchObject({ phone: null, status_code: statusCode });
      await expect(messageNow(db, waiting.id)).resolves.toMatchObject({
        status: 'failed',
        error_code: 'message.session_closed',
      });
      const { rows } = await db.owner.query('select from session_credentials where session_id = $1', [id]);
      expect(rows).toEqual([]);
    },
  );
});

describe('what the customer asks for', () => {
  it('restart: the socket is opened anew, also out of a back-off', async () => {
    const id = await connected();
    await wish(id, 'generation = generation + 1');
    worker.pool.look(id);
    await expect.poll(() => sockets().length).toBe(2);
    expect(sockets()[0]).toMatchObject({ isClosed: true, loggedOut: false });
    await expect.poll(() => status(id)).toBe('connected');

    worker.network.script = (socket) => socket.end(503);
    worker.network.last.end(503);
    await expect.poll(async () => (await leaseNow(db, id))?.attempts).toBeGreaterThan(2);
    worker.network.script = opens;
    await wish(id, 'generation = generation + 1');
    worker.pool.look(id);
    await expect.poll(() => status(id)).toBe('connected');
    await expect.poll(() => leaseNow(db, id)).toMatchObject({ attempts: 0 });
  });

  it('logout: WhatsApp is told, the link is forgotten, the session stays', async () => {
    const id = await connected();
    const waiting = await seedMessage(db, hold(id), { not_before: inAMinute() });
    await wish(id, `desired = 'logged_out'`);
    worker.pool.look(id);
    await expect.poll(() => status(id)).toBe('logged_out');
    expect(worker.network.last).toMatchObject({ loggedOut: true, isClosed: true });
    await expect(sessionNow(db, id)).resolves.toMatchObject({ phone: null, device: null });
    await expect(messageNow(db, waiting.id)).resolves.toMatchObject({
      status: 'failed',
      error_detail: 'The session was logged out.',
    });
    await expect.poll(() => leaseNow(db, id)).toMatchObject({ owner: null, wanted: false });
  });

  it('logout while WhatsApp cannot be reached: the link is forgotten here, and no socket is left open', async () => {
    const id = await connected();
    worker.network.script = () => undefined;
    await wish(id, `desired = 'logged_out'`);
    worker.pool.look(id);
    await expect.poll(() => status(id)).toBe('logged_out');
    await expect.poll(() => sockets().every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('restart while it is being logged out: it pairs anew', async () => {
    const id = await connected();
    worker.network.script = async (socket) => {
      await wish(id, `desired = 'running', generation = generation + 1`);
      opens(socket);
      worker.network.script = showsQr;
    };
    await wish(id, `desired = 'logged_out'`);
    worker.pool.look(id);
    await expect.poll(() => status(id)).toBe('pairing');
    await expect(sessionNow(db, id)).resolves.toMatchObject({ phone: null });
  });

  it('delete: WhatsApp is told, and the session is gone', async () => {
    const id = await connected();
    await wish(id, `desired = 'deleted'`);
    worker.pool.look(id);
    await expect.poll(() => leaseNow(db, id)).toBeUndefined();
    expect(worker.network.last.loggedOut).toBe(true);
    await expect(sessionNow(db, id)).rejects.toThrow('gone');
  });

  it('a message: it is sent after a look, and by the sweep where no hint came', async () => {
    const id = await connected();
    const first = await seedMessage(db, hold(id), { body: 'a' });
    worker.pool.look(id);
    await expect.poll(async () => (await messageNow(db, first.id)).status).toBe('sent');
    const second = await seedMessage(db, hold(id), { body: 'b' });
    await expect.poll(async () => (await messageNow(db, second.id)).status).toBe('sent');
  });
});

describe('a socket that opens before it was handed over', () => {
  it('sends all the same', async () => {
    await worker.pool.drain();
    const { network } = worker;
    worker = await startPool(db, {
      network,
      openSocket: async (options) => {
        options.handlers.onOpen(self);
        await new Promise((resolve) => setTimeout(resolve, 30));
        return network.open(options);
      },
    });
    const id = await seedSession(db, account, { phone: self.phone });
    const message = await seedMessage(db, hold(id));
    await expect.poll(async () => (await messageNow(db, message.id)).status).toBe('sent');
  });
});

describe('while the database is away', () => {
  it('reports wait, and are written when it is back', async () => {
    worker.network.script = (socket) => {
      link.isCut = true;
      opens(socket);
    };
    const id = await seedSession(db, account, { status: 'disconnected', phone: self.phone });
    await expect.poll(() => link.isCut).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    link.isCut = false;
    await expect.poll(() => status(id)).toBe('connected');
    expect(sockets()).toHaveLength(1);
  });
});

function hold(sessionId: string) {
  return { sessionId, accountId: account, mode: 'test' as const, epoch: 1 };
}
