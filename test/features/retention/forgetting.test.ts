import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { forgetFinished } from '../../../src/features/retention/run-purge.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { inOpenTransaction } from '../../support/open-transaction.ts';
import { contentOf, seedMessage } from './retained-rows.ts';

let db: TestDatabase;
let account: string;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());
beforeEach(async () => {
  account = await seedAccount(db);
  await db.owner.query('update accounts set content_days = 0 where id = $1', [account]);
});

const forget = () => forgetFinished({ database: db.database });

/** Facts are read once no transaction of the server can still come before them: other tests' hold that up too. */
const forgotten = async (messageId: string) => {
  await expect
    .poll(async () => {
      await forget();
      return contentOf(db, messageId);
    })
    .toBeNull();
};

const announce = (messageId: string, type: string, age = '2 minutes') =>
  db.owner.query(`select app.announce($1, $2, 'test', $3, null, $4, '{}', now() - $5::interval)`, [
    newUuid(),
    account,
    type,
    messageId,
    age,
  ]);

async function seedEndpoint(): Promise<string> {
  const id = newUuid();
  await db.owner.query(
    `insert into webhook_endpoints (id, account_id, mode, url, events, secret)
     values ($1, $2, 'test', 'https://example.com', '{*}', 'x')`,
    [id, account],
  );
  return id;
}

describe('an account that stores no content', () => {
  it.each(['message.delivered', 'message.read', 'message.failed', 'message.received'])(
    'forgets what a message said after %s',
    async (type) => {
      const id = await seedMessage(db, account);
      await announce(id, type);
      await forgotten(id);
    },
  );

  it('keeps it while WhatsApp may still ask for it', async () => {
    const id = await seedMessage(db, account, { status: 'sent' });
    await announce(id, 'message.queued');
    await announce(id, 'message.sent');
    await forget();
    expect(await contentOf(db, id)).toBe('sealed');
    await announce(id, 'message.delivered');
    await forgotten(id);
  });

  it('forgets what was written on the phone itself', async () => {
    const id = await seedMessage(db, account, { status: 'sent' });
    await db.owner.query('update messages set sending_at = null where id = $1', [id]);
    await announce(id, 'message.sent');
    await forgotten(id);
  });

  it('keeps it for a minute, so that streams can show it', async () => {
    const id = await seedMessage(db, account);
    await announce(id, 'message.delivered', '30 seconds');
    await forget();
    expect(await contentOf(db, id)).toBe('sealed');
  });

  it('keeps it until its webhooks have ended, and no longer than three days', async () => {
    await seedEndpoint();
    const [waiting, stuck] = [await seedMessage(db, account), await seedMessage(db, account)];
    await announce(waiting, 'message.delivered');
    await announce(stuck, 'message.delivered', '73 hours');
    await forgotten(stuck);
    expect(await contentOf(db, waiting)).toBe('sealed');
    await db.owner.query(`update webhook_deliveries set status = 'failed' where message_id = $1`, [waiting]);
    await forgotten(waiting);
  });

  it('keeps it until triggers have looked', async () => {
    const id = await seedMessage(db, account, { status: 'received', direction: 'inbound' });
    await db.owner.query(
      `insert into trigger_checks (message_id, account_id, mode, session_id) values ($1, $2, 'test', $3)`,
      [id, account, newUuid()],
    );
    await announce(id, 'message.received');
    await forget();
    expect(await contentOf(db, id)).toBe('sealed');
    await db.owner.query('delete from trigger_checks where message_id = $1', [id]);
    await forgotten(id);
  });

  it('is alone in that', async () => {
    await db.owner.query('update accounts set content_days = 30 where id = $1', [account]);
    const id = await seedMessage(db, account);
    await announce(id, 'message.delivered');
    await forget();
    expect(await contentOf(db, id)).toBe('sealed');
  });

  it('forgets what it stored before, once it stores none', async () => {
    await db.owner.query('update accounts set content_days = 30 where id = $1', [account]);
    const id = await seedMessage(db, account);
    await announce(id, 'message.delivered', '5 days');
    await forget();
    await db.owner.query('update accounts set content_days = 0 where id = $1', [account]);
    await forgotten(id);
  });

  it('misses no fact of a transaction that commits late', async () => {
    const [late, soon] = [await seedMessage(db, account), await seedMessage(db, account)];
    await inOpenTransaction(db.owner, async (slow) => {
      await slow.query(
        `select app.announce($1, $2, 'test', 'message.delivered', null, $3, '{}', now() - interval '2 minutes')`,
        [newUuid(), account, late],
      );
      await announce(soon, 'message.delivered');
      await forget();
    });
    await forgotten(late);
    await forgotten(soon);
  });
});
