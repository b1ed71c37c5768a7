import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { toTimeZone } from '../../src/lib/time-zone.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());

it.each(['UTC', 'Asia/Kolkata', 'Asia/Calcutta', 'America/Argentina/Buenos_Aires', 'Europe/Kyiv'])(
  '%s is a time zone',
  (name) => expect(toTimeZone(name)).toBe(name),
);

it.each(['', '+05:30', 'Mars/Olympus', 'IST5', 'Asia/'])('"%s" is none', (name) =>
  expect(toTimeZone(name)).toBeUndefined(),
);

describe('the name of a time zone', () => {
  it('is spelled as IANA spells it, whatever its case', async () => {
    const { rows } = await db.owner.query<{ name: string }>('select name from pg_timezone_names');
    const names = rows.map(({ name }) => name).filter((name) => toTimeZone(name) !== undefined);
    expect(names.length).toBeGreaterThan(400);
    for (const write of [
      String,
      (name: string) => name.toLowerCase(),
      (name: string) => name.toUpperCase(),
    ]) {
      expect(names.map((name) => toTimeZone(write(name)))).toEqual(names);
    }
  });
});
