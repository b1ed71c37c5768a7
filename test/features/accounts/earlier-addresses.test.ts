import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { MIGRATIONS, migrate } from '../../../src/platform/db/migrate.ts';
import { createPlainOwner, dropPlainOwner } from '../../support/plain-owner.ts';

// What becomes of addresses that accounts had when one address was both where to write and whose the account becomes.
// The migration runs as an owner who is no superuser, whom row-level security holds too.

const SEPARATION = '20261121140700_account_owners.sql';
const name = `pingr_earlier_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
const accounts = {
  unclaimed: newUuid(),
  rewritten: newUuid(),
  own: newUuid(),
  left: newUuid(),
  set: newUuid(),
};
let admin: pg.Client;
let data: pg.Client;
let folder: string;

beforeAll(async () => {
  admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await createPlainOwner((sql) => admin.query(sql), name);
  await admin.query(`create database ${name} owner ${name}`);
  const url = new URL(`/${name}`, inject('postgresUrl'));
  data = new pg.Client({ connectionString: url.href });
  await data.connect();
  folder = await mkdtemp(path.join(tmpdir(), 'pingr-migrations-'));
  await cp(MIGRATIONS, folder, { recursive: true });
  for (const file of await readdir(folder))
    if (file >= SEPARATION && file !== 'bootstrap') await rm(`${folder}/${file}`);
  url.username = name;
  url.password = 'x';
  await migrate({ url: url.href, folder });
  await seed();
  await migrate({ url: url.href });
});
afterAll(async () => {
  await data?.end();
  await admin.query(`drop database if exists ${name} with (force)`);
  await dropPlainOwner((sql) => admin.query(sql), name);
  await admin.end();
  await rm(folder, { recursive: true });
});

async function seed(): Promise<void> {
  const insert = (id: string, email: string) =>
    data.query('insert into accounts (id, name, email) values ($1, $2, $3)', [id, 'Acme', email]);
  const change = (id: string, email: string) =>
    data.query('update accounts set email = $2 where id = $1', [id, email]);
  const own = async (id: string, email: string) => {
    const userId = newUuid();
    await data.query('insert into users (id, email) values ($1, $2)', [userId, email]);
    await data.query(`insert into members (account_id, user_id, role) values ($1, $2, 'owner')`, [
      id,
      userId,
    ]);
  };
  await insert(accounts.unclaimed, 'Boss@example.com');
  await insert(accounts.rewritten, 'boss@example.com');
  await change(accounts.rewritten, 'mallory@example.com');
  await insert(accounts.own, 'ada@example.com');
  await own(accounts.own, 'ada@example.com');
  await insert(accounts.left, 'gone@example.com');
  await own(accounts.left, 'bob@example.com');
  await insert(accounts.set, 'eve@example.com');
  await own(accounts.set, 'eve@example.com');
  await change(accounts.set, 'money@example.com');
}

it('an address makes an owner only where nobody changed it, and that of an owner who left is forgotten', async () => {
  const { rows } = await data.query('select id, email, claimable_by from accounts');
  const found = Object.entries(accounts).map(([key, id]) => {
    const { email, claimable_by } = rows.find((row) => row.id === id);
    return [key, email, claimable_by];
  });
  expect(found).toEqual([
    ['unclaimed', 'Boss@example.com', 'boss@example.com'],
    ['rewritten', 'mallory@example.com', null],
    ['own', 'ada@example.com', null],
    ['left', null, null],
    ['set', 'money@example.com', null],
  ]);
});
