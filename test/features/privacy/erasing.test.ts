import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErasureParts, eraseDueAccounts } from '../../../src/features/privacy/erase-account.ts';
import { exportKey, exportsFolder } from '../../../src/features/privacy/write-export.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { seedSession } from '../../support/database.ts';
import { accountTables, fillTables, findTraces } from './fill-tables.ts';
import { openPrivacy, type Privacy } from './open-privacy.ts';

let privacy: Privacy;
let erasure: ErasureParts;
const settled: string[] = [];
beforeAll(async () => {
  privacy = await openPrivacy();
  const { foldersOf } = privacy.parts;
  erasure = {
    ...privacy.parts,
    settle: async (id) => void settled.push(id),
    foldersOf: (id) => [...foldersOf(id), exportsFolder(id)],
  };
});
afterAll(() => privacy.close());

const WEEK = 7 * 86_400_000;
const NAME = 'Zephyrine Ltd';
const PHONE = '919811122233';

/** Erases what is due in so many milliseconds from now. */
async function eraseAfter(ms: number): Promise<void> {
  privacy.clock.ahead = ms;
  await eraseDueAccounts(erasure);
  privacy.clock.ahead = 0;
}

async function closedAccount(name = 'Leaver') {
  const account = await privacy.account(name);
  const answer = await privacy.call(account.live, 'DELETE', '/v1/account', { confirm: name });
  expect(answer.status).toBe(202);
  return account;
}

/** @returns its UUID */
async function seedInvoice(accountId: string): Promise<string> {
  const id = newUuid();
  await privacy.db.owner.query(
    `insert into invoices (id, account_id, provider, provider_invoice_id, number, status, amount, currency, issued_at, url)
     values ($1::uuid, $2, 'razorpay', 'inv_' || $1::uuid, 'INV-7', 'paid', 149900, 'INR', now(), 'https://pay.example/7')`,
    [id, accountId],
  );
  return id;
}

/** @returns the user's UUID */
async function seedMember(email: string, accounts: readonly string[]): Promise<string> {
  const id = newUuid();
  await privacy.db.owner.query('insert into users (id, email) values ($1, $2)', [id, email]);
  for (const account of accounts) {
    await privacy.db.owner.query(`insert into members (account_id, user_id, role) values ($1, $2, 'owner')`, [
      account,
      id,
    ]);
  }
  return id;
}

const isThere = async (id: string) =>
  (await privacy.db.owner.query('select from accounts where id = $1', [id])).rowCount === 1;

describe('an account that was deleted', () => {
  it('is left alone for seven days', async () => {
    const { id } = await closedAccount();
    await eraseAfter(WEEK - 60_000);
    expect(await isThere(id)).toBe(true);
    await privacy.db.owner.query('delete from account_closures where account_id = $1', [id]);
  });

  it('leaves no trace: not in any table, column or file', async () => {
    const { id } = await privacy.account(NAME);
    const { db, files } = privacy;
    const needles = [id, id.replaceAll('-', ''), toId('account', id), PHONE, 'owner@zephyrine.example', NAME];
    const trace = needles.join(' ');
    await db.owner.query('update accounts set email = $2 where id = $1', [id, 'owner@zephyrine.example']);
    const tables = await accountTables(db);
    const bystander = await privacy.account('Bystander');
    await fillTables(db, bystander.id, 'harmless');
    await seedInvoice(id);
    await seedMember('owner@zephyrine.example', [id]);
    const shared = await seedMember('both@other.example', [id, bystander.id]);
    await fillTables(db, id, trace);
    await files.put(`media/${toId('account', id)}/photo.jpg`, Readable.from(['jpeg']));
    await files.put(exportKey(id, newUuid()), Readable.from(['zip']));
    await db.owner.query(
      `update account_closures set requested_at = now(), erase_at = now(), erasing_at = null, session_ids = '{}' where account_id = $1`,
      [id],
    );
    await db.owner.query('delete from account_closures where account_id = $1', [bystander.id]);
    expect(await findTraces(db, needles)).not.toEqual([]);

    // Nobody logs the sessions out here, so that they go after an hour.
    await eraseAfter(60_000);
    expect(await isThere(id)).toBe(true);
    await eraseAfter(2 * 3_600_000);

    expect(await findTraces(db, needles)).toEqual([]);
    const { rowCount: left } = await db.owner.query('select from members where user_id = $1', [shared]);
    expect(left, 'memberships of somebody who is in another account too').toBe(1);
    expect((await files.list('')).filter(({ key }) => key.includes(toId('account', id)))).toEqual([]);
    for (const table of tables.filter((name) => name !== 'account_closures')) {
      const { rowCount } = await db.owner.query(`select from ${table} where account_id = $1`, [bystander.id]);
      expect(rowCount, `rows of another account in ${table}`).toBeGreaterThan(0);
    }
  });

  it('loses its data key before anything else, and has its sessions logged out before that', async () => {
    const { id } = await closedAccount();
    const session = await seedSession(privacy.db, id, { status: 'disconnected' });
    await privacy.db.owner.query('update session_leases set wanted = false where session_id = $1', [session]);
    await eraseAfter(WEEK + 1_000);
    const { rows } = await privacy.db.owner.query(
      'select s.desired, l.wanted from sessions s join session_leases l on l.session_id = s.id where s.id = $1',
      [session],
    );
    expect(rows).toEqual([{ desired: 'deleted', wanted: true }]);
    const keyIsThere = async () =>
      (await privacy.db.owner.query('select from account_data_keys where account_id = $1', [id])).rowCount ===
      1;
    expect(await keyIsThere()).toBe(true);

    // What a worker does once it has logged the session out.
    await privacy.db.owner.query('delete from sessions where id = $1', [session]);
    const failing = {
      ...erasure,
      files: { ...erasure.files, list: () => Promise.reject(new Error('no storage')) },
    };
    privacy.clock.ahead = WEEK + 2_000;
    await expect(eraseDueAccounts(failing)).rejects.toMatchObject({ errors: [{ message: 'no storage' }] });
    expect([await keyIsThere(), await isThere(id)]).toEqual([false, true]);

    await eraseAfter(WEEK + 3_000);
    expect(await isThere(id)).toBe(false);
    expect(settled).toContain(id);
  });

  it('holds up no other where it cannot be erased', async () => {
    const [stuck, other] = [await closedAccount(), await closedAccount()];
    const settle = (id: string) =>
      id === stuck.id ? Promise.reject(new Error('refused')) : Promise.resolve();
    privacy.clock.ahead = WEEK + 2_000;
    await expect(eraseDueAccounts({ ...erasure, settle })).rejects.toMatchObject({
      errors: [{ message: 'refused' }],
    });
    expect([await isThere(stuck.id), await isThere(other.id)]).toEqual([true, false]);
    await eraseAfter(WEEK + 3_000);
  });

  it('cannot be restored once erasing has begun, and leaves a receipt that names nobody', async () => {
    const { id } = await closedAccount();
    const { rows: closures } = await privacy.db.owner.query(
      'select id from account_closures where account_id = $1',
      [id],
    );
    await eraseAfter(WEEK + 1_000);
    expect(await isThere(id)).toBe(false);
    const { rows } = await privacy.db.owner.query('select * from app.erasures where id = $1', [
      closures[0].id,
    ]);
    expect(rows).toHaveLength(1);
    expect(rows[0].deleted).toMatchObject({ api_keys: 2 });
    expect(JSON.stringify(rows[0])).not.toContain(id);
  });

  it('keeps what the law wants, without the rest', async () => {
    const { id } = await closedAccount();
    const invoice = await seedInvoice(id);
    await eraseAfter(WEEK + 1_000);
    const { rows } = await privacy.db.owner.query(
      'select kind, record, keep_until from app.legal_records where id = $1',
      [invoice],
    );
    expect(rows).toMatchObject([
      {
        kind: 'invoices',
        record: { number: 'INV-7', amount: 149_900, currency: 'INR', status: 'paid', amount_refunded: 0 },
      },
    ]);
    expect(rows[0].keep_until.getFullYear()).toBe(new Date().getFullYear() + 8);
    expect(await findTraces(privacy.db, [id, 'https://pay.example/7'])).toEqual([]);
  });

  it('is not erased by whoever asks the database for it, unless it was closed', async () => {
    const { id } = await privacy.account();
    const asking = privacy.db.database.systemOnce((tx) => tx.query('select app.erase_rows($1, 10)', [id]));
    await expect(asking).rejects.toThrow('not being erased');
  });
});
