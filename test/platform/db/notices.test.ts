import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Clock } from '../../../src/lib/clock.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices, type Notices } from '../../../src/platform/db/notices.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

let db: TestDatabase;
let open: Notices[] = [];
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
afterEach(async () => {
  await Promise.all(open.map((notices) => notices.close()));
  open = [];
});

/** Waits before a reconnection are cut short. */
const quickClock: Clock = { ...systemClock, sleep: (_, signal) => systemClock.sleep(5, signal) };

function notices(): Notices {
  const made = createNotices({ url: db.url, clock: quickClock, log: silentLog });
  open.push(made);
  return made;
}

async function asAdmin(text: string): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(text);
  await admin.end();
}

const notify = (channel: string, payload: string) =>
  db.owner.query('select pg_notify($1, $2)', [channel, payload]);
const connections = async () =>
  (
    await db.owner.query(
      `select pid from pg_stat_activity where application_name = 'pingr-notices' and datname = current_database()`,
    )
  ).rows.length;
const cut = () =>
  db.owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'pingr-notices' and datname = current_database()`,
  );

describe('notices', () => {
  it('reach every listener of their channel and no other', async () => {
    const heard: string[] = [];
    const hub = notices();
    await Promise.all([
      hub.listen('one', (payload) => heard.push(`a ${payload}`)),
      hub.listen('one', (payload) => heard.push(`b ${payload}`)),
      hub.listen('two', (payload) => heard.push(`c ${payload}`)),
    ]);
    await notify('one', 'x');
    await expect.poll(() => heard.sort()).toEqual(['a x', 'b x']);
    await notify('two', 'y');
    await expect.poll(() => heard.sort()).toEqual(['a x', 'b x', 'c y']);
  });

  it('share one connection', async () => {
    const hub = notices();
    await Promise.all(['one', 'two', 'three'].map((channel) => hub.listen(channel, () => undefined)));
    await expect(connections()).resolves.toBe(1);
  });

  it('tell listeners to look for themselves after a lost connection, and go on', async () => {
    const heard: (string | undefined)[] = [];
    await notices().listen('one', (payload) => heard.push(payload));
    await cut();
    await expect.poll(() => heard).toEqual([undefined]);
    await notify('one', 'x');
    await expect.poll(() => heard).toEqual([undefined, 'x']);
  });

  it('open one connection again, however long the database was away', async () => {
    const heard: (string | undefined)[] = [];
    await notices().listen('one', (payload) => heard.push(payload));
    const name = new URL(db.url).pathname.slice(1);
    await asAdmin(`alter database ${name} with allow_connections false`);
    await cut();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(heard).toEqual([]);
    await asAdmin(`alter database ${name} with allow_connections true`);
    await expect.poll(() => heard).toEqual([undefined]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(connections()).resolves.toBe(1);
    await notify('one', 'x');
    await expect.poll(() => heard).toEqual([undefined, 'x']);
  });

  it('fail to open where the database cannot be reached, and may be asked again', async () => {
    const unreachable = createNotices({
      url: 'postgres://x@127.0.0.1:1/x',
      clock: quickClock,
      log: silentLog,
    });
    await expect(unreachable.listen('one', () => undefined)).rejects.toThrow();
    await expect(unreachable.listen('one', () => undefined)).rejects.toThrow();
    await unreachable.close();
  });

  it('stop when closed, also in the middle of a reconnection', async () => {
    const hub = notices();
    await hub.listen('one', () => undefined);
    await cut();
    await hub.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect.poll(connections).toBe(0);
  });
});
