import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TARGETS } from '../../../src/features/audit/audit.model.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

/** Tables that the account scope writes and that are not under audit, and why. */
const NOT_AUDITED: Record<string, string> = {
  billing_customers: "the provider's name for an account, made on the way to a checkout that is audited",
  contact_identities: 'learnt from WhatsApp',
  events: 'the history of messages and sessions itself',
  idempotency_keys: 'answers that are kept for repeats',
  mails: 'follow from what is audited',
  message_credit: 'counters',
  messages: 'have a history of their own, their events',
  quotas: 'counters',
  session_leases: 'which worker holds a socket',
  trigger_checks: 'work to do',
  trigger_senders: 'cool-downs',
  users: 'belong to people, not to accounts',
  webhook_deliveries: 'have a history of their own, their attempts',
};

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());

const audited = async () => {
  const { rows } = await db.owner.query<{ name: string; arguments: string }>(
    `select c.relname as name, encode(t.tgargs, 'escape') as arguments from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where t.tgfoid = 'app.audit()'::regprocedure and t.tgname = 'audit_changed' and not c.relispartition`,
  );
  return new Map(rows.map((row) => [row.name, row.arguments.split('\\000')]));
};

describe('the audit log', () => {
  it('covers every table that customers write, or says why not', async () => {
    const { rows } = await db.owner.query<{ name: string }>(
      `select distinct c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and (
         has_any_column_privilege('pingr_account', c.oid, 'insert, update')
         or has_table_privilege('pingr_account', c.oid, 'insert, update, delete'))`,
    );
    const covered = await audited();
    const open = rows.map(({ name }) => name).filter((name) => !covered.has(name));
    expect(open.toSorted()).toEqual(Object.keys(NOT_AUDITED).toSorted());
  });

  it('has a public name for everything that it covers', async () => {
    expect([...(await audited()).keys()].toSorted()).toEqual(Object.keys(TARGETS).toSorted());
  });

  it('watches columns that exist, and hides every one that is sealed or hashed', async () => {
    for (const [table, [keys = '', watched = '', secret = '']] of await audited()) {
      const { rows } = await db.owner.query<{ name: string; type: string }>(
        `select attname as name, atttypid::regtype::text as type from pg_attribute
         where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
        [table],
      );
      const columns = rows.map(({ name }) => name);
      for (const name of [keys, watched, secret].flatMap((list) => list.split(',').filter(Boolean))) {
        expect(columns, table).toContain(name);
      }
      const sealed = rows.filter(({ type }) => type === 'bytea').map(({ name }) => name);
      expect(secret.split(','), table).toEqual(expect.arrayContaining(sealed));
    }
  });

  it('is written by triggers alone: no scope adds to its own history', async () => {
    const { rows } = await db.owner.query(
      `select r as role from unnest(array['pingr_app', 'pingr_account', 'authenticated', 'anon']) as r
       where has_table_privilege(r, 'audit_log', 'insert, update, delete')`,
    );
    expect(rows).toEqual([]);
  });
});
