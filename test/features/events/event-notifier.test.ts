import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type CausedWork, createEventNotifier } from '../../../src/features/events/event-notifier.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices, type Notices } from '../../../src/platform/db/notices.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

let db: TestDatabase;
let notices: Notices;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  notices = createNotices({ url: db.url, clock: systemClock, log: silentLog });
});
afterAll(async () => {
  await notices.close();
  await db.close();
});

function openNotifier() {
  const work: CausedWork[] = [];
  let statements = 0;
  const notifier = createEventNotifier({
    database: {
      systemOnce: (use) => {
        statements++;
        return db.database.systemOnce(use);
      },
    },
    log: silentLog,
    onWork: (found) => work.push(found),
  });
  return { notifier, work, statements: () => statements };
}

async function announce(account: string, type: string, message: string | null = null): Promise<void> {
  await db.owner.query(
    `select app.announce(gen_random_uuid(), $1, 'test', $2, gen_random_uuid(), $3, '{"status": "received"}', now())`,
    [account, type, message],
  );
}

async function seedEndpoint(account: string, more: { events?: string[]; enabled?: boolean } = {}) {
  const id = newUuid();
  await db.owner.query(
    `insert into webhook_endpoints (id, account_id, mode, url, events, secret, enabled)
     values ($1, $2, 'test', 'https://example.com', $3, '', $4)`,
    [id, account, more.events ?? ['*'], more.enabled ?? true],
  );
  return id;
}

describe('telling that there is news', () => {
  it('names each account once, and sends notices in the same statement', async () => {
    const { notifier, statements } = openNotifier();
    const heard: string[] = [];
    await notices.listen('pingr_events', (account) => void heard.push(String(account)));
    await notices.listen('pingr_test', (payload) => void heard.push(`test ${payload}`));
    const [a, b] = [await seedAccount(db), await seedAccount(db)];
    for (const account of [a, b, a, a]) notifier.notify(account);
    notifier.send('pingr_test', 'hello');
    notifier.send('pingr_test', 'hello');
    await notifier.flush();
    await expect.poll(() => heard.toSorted()).toEqual([a, b, 'test hello'].toSorted());
    expect(statements()).toBe(1);
  });

  it('goes on after the database was away', async () => {
    const { notifier } = openNotifier();
    const heard: unknown[] = [];
    await notices.listen('pingr_later', (payload) => void heard.push(payload));
    await db.owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'test'`,
    );
    notifier.send('pingr_later', 'lost, perhaps');
    await notifier.flush();
    notifier.send('pingr_later', 'heard');
    await expect.poll(() => heard.at(-1)).toBe('heard');
  });
});

describe('the work that facts cause', () => {
  it('is named until somebody holds the endpoint', async () => {
    const account = await seedAccount(db);
    const wanting = await seedEndpoint(account, { events: ['message.*'] });
    await seedEndpoint(account, { events: ['session.status'] });
    await seedEndpoint(account, { enabled: false });
    const { notifier, work } = openNotifier();
    await announce(account, 'message.received', newUuid());
    notifier.notify(account);
    await notifier.flush();
    expect(work.splice(0)).toEqual([
      { kind: 'webhooks', subject: wanting, accountId: account, mode: 'test' },
    ]);

    await db.owner.query(
      `insert into webhook_lanes (endpoint_id, account_id, mode, owner, epoch, expires_at)
       values ($1, $2, 'test', gen_random_uuid(), 1, now() + interval '30 seconds')`,
      [wanting, account],
    );
    notifier.notify(account);
    await notifier.flush();
    expect(work).toEqual([]);
    await db.owner.query(`update webhook_lanes set expires_at = now()`);
    notifier.notify(account);
    await notifier.flush();
    expect(work.map(({ subject }) => subject)).toEqual([wanting]);
  });

  it('includes a look by the triggers at what was received', async () => {
    const account = await seedAccount(db);
    const trigger = `insert into triggers (id, account_id, mode, name, match, enabled) values (gen_random_uuid(), $1, $2, 't', 'any', $3)`;
    await db.owner.query(trigger, [account, 'live', true]);
    await db.owner.query(trigger, [account, 'test', false]);
    const { notifier, work } = openNotifier();
    await announce(account, 'message.received', newUuid());
    notifier.notify(account);
    await notifier.flush();
    expect(work).toEqual([]);

    await db.owner.query(trigger, [account, 'test', true]);
    await announce(account, 'message.sent', newUuid());
    await announce(account, 'message.received', newUuid());
    await announce(account, 'message.received', newUuid());
    notifier.notify(account);
    await notifier.flush();
    expect(work).toEqual([{ kind: 'triggers', subject: account, accountId: account, mode: 'test' }]);
  });
});
