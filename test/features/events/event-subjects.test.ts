import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createEventReader } from '../../../src/features/events/event-reader.ts';
import type { EventRow } from '../../../src/features/events/events.model.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { eventSubjects } from '../../../src/roles/event-subjects.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

let db: TestDatabase;
let accountId: string;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  accountId = await seedAccount(db);
});
afterAll(() => db.close());

/** Shows events to the account, and counts what the database is asked for that. */
async function show(rows: EventRow[]) {
  let queries = 0;
  const database: Database = {
    ...db.database,
    accountOnce(scope, work) {
      queries++;
      return db.database.accountOnce(scope, work);
    },
  };
  const parts = { database, vault: db.vault };
  const reader = createEventReader({
    ...parts,
    log: silentLog,
    loadMessages: async () => new Map(),
    subjects: eventSubjects(parts),
  });
  const views = await reader.show(contextOf(accountId), rows);
  return { data: views.map((view) => view.data), queries };
}

const event = (about: Partial<EventRow>): EventRow => ({
  id: newUuid(),
  txid: '1',
  mode: 'test',
  type: 'session.status',
  session_id: null,
  message_id: null,
  data: { status: 'connected', phone: '919876500000' },
  created_at: new Date(),
  ...about,
});

async function seedInvoice(owner: string): Promise<string> {
  const id = newUuid();
  await db.owner.query(
    `insert into invoices (id, account_id, provider, provider_invoice_id, number, status, amount, currency, issued_at)
     values ($1, $2, 'stripe', $3, 'INV-1', 'paid', 4900, 'USD', now())`,
    [id, owner, `in_${id}`],
  );
  return toId('invoice', id);
}

describe('a page of events', () => {
  it('asks once for the objects of a kind, and for none where all are about messages', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => seedSession(db, accountId)));
    const invoice = await seedInvoice(accountId);
    const changes = Array.from({ length: 100 }, (_, i) => event({ session_id: sessions[i % 3] ?? null }));
    const payments = changes.map(() => event({ type: 'invoice.paid', data: { id: invoice } }));
    const { data, queries } = await show([...changes, ...payments]);
    expect(data.filter((shown) => 'pacing' in shown)).toHaveLength(100);
    expect(data.filter((shown) => 'provider' in shown)).toHaveLength(100);
    expect(queries).toBe(2);

    const messages = changes.map((change) => ({ ...change, type: 'message.sent', message_id: newUuid() }));
    expect((await show(messages)).queries).toBe(0);
  });

  it("shows nothing of another account's objects, nor of another mode's", async () => {
    const stranger = await seedAccount(db);
    const data = { id: await seedInvoice(stranger) };
    const foreign = await show([
      event({ session_id: await seedSession(db, stranger) }),
      event({ session_id: await seedSession(db, accountId, { mode: 'live' }) }),
      event({ type: 'invoice.paid', data }),
    ]);
    for (const shown of foreign.data) expect(shown).not.toHaveProperty('name');
    expect(foreign.data.at(-1)).toEqual(data);
  });
});
