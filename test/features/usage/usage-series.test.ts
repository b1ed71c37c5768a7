import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { toActivityRow } from '../../../src/features/usage/activity.model.ts';
import { writeActivity } from '../../../src/features/usage/activity.system.ts';
import { BUCKETS, type Bucket, coverOf, toQuarters } from '../../../src/features/usage/usage.model.ts';
import { createUsageService, type UsageService } from '../../../src/features/usage/usage.service.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { requestOf } from './usage-fixture.ts';

let db: TestDatabase;
let account: string;
let usage: UsageService;
const keys = [newUuid(), newUuid()];
/** A year that holds every change of clocks. */
const FROM = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const YEAR_MINUTES = 365 * 24 * 60;

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  account = await seedAccount(db);
  usage = createUsageService({ database: db.database });
  let random = 1;
  const next = (below: number) => {
    random = (random * 48_271) % 2_147_483_647;
    return random % below;
  };
  const rows = Array.from({ length: 6_000 }, () => {
    const at = new Date(FROM + next(YEAR_MINUTES) * MINUTE + next(60_000));
    const record = requestOf(account, {
      keyId: keys[next(2)] ?? '',
      status: [200, 200, 202, 404][next(4)] ?? 200,
    });
    const row = toActivityRow(record, newUuid(), at);
    if (row === undefined) throw new Error('no row');
    return row;
  });
  for (let i = 0; i < rows.length; i += 1_000) {
    await db.database.systemOnce((tx) => writeActivity(tx, rows.slice(i, i + 1_000)));
  }
});
afterAll(() => db.close());

const ZONES = [
  ...['UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York', 'Europe/Berlin', 'Australia/Adelaide'],
  ...['Pacific/Chatham', 'America/St_Johns', 'Africa/Casablanca', 'Pacific/Apia'],
];
const range = fc
  .tuple(fc.integer({ min: 0, max: YEAR_MINUTES }), fc.integer({ min: 1, max: 60 * 24 * 60 }))
  .map(([start, length]) => ({
    since: new Date(FROM + start * MINUTE),
    until: new Date(FROM + (start + length) * MINUTE),
  }));

/** The same counts from the log itself, by Postgres' own calendar. */
async function byHand(query: { since: Date; until: Date; bucket: Bucket; zone: string }) {
  const { since, until } = toQuarters(query);
  const { rows } = await db.owner.query<{ since: Date; count: number }>(
    `select greatest(case $3 when 'hour' then date_trunc('hour', at, $4)
         else date_trunc($3, at at time zone $4) at time zone $4 end, $1) as since, count(*)::int as count
     from activity_log where account_id = $5 and at >= $1 and at < $2 group by 1 order by 1`,
    [since, until, query.bucket, query.zone, account],
  );
  return rows;
}

describe('a range', () => {
  it('is put together from few stretches, without a gap or an overlap', () => {
    const wide = fc.tuple(range, fc.nat(5 * 365 * 24 * 60));
    fc.assert(
      fc.property(wide, ([{ since, until }, more]) => {
        const whole = toQuarters({ since, until: new Date(until.getTime() + more * MINUTE) });
        const cover = coverOf(whole);
        expect(cover[0]?.since).toEqual(whole.since);
        expect(cover.at(-1)?.until).toEqual(whole.until);
        let rows = 0;
        for (const [i, part] of cover.entries()) {
          if (i > 0) expect(part.since).toEqual(cover[i - 1]?.until);
          const length = part.minutes * MINUTE;
          expect(part.since.getTime() % length).toBe(0);
          expect(part.until.getTime() % length).toBe(0);
          if (part.minutes < 1440) rows += (part.until.getTime() - part.since.getTime()) / length;
        }
        expect(rows).toBeLessThanOrEqual(2 * (1 + 1 + 5 + 3));
      }),
    );
  });
});

describe('counts over time', () => {
  it('are those of the log itself, in every time zone, bucket and range', async () => {
    await fc.assert(
      fc.asyncProperty(
        range,
        fc.constantFrom(...BUCKETS),
        fc.constantFrom(...ZONES),
        async (given, bucket, zone) => {
          const query = { ...given, bucket, zone, metric: 'requests' as const };
          const series = await usage.series(contextOf(account), query);
          const counted = series.filter(({ count }) => count > 0);
          expect(counted.map(({ since, count }) => ({ since, count }))).toEqual(await byHand(query));
          // The buckets follow each other without a gap, from one end of the range to the other.
          const whole = toQuarters(given);
          expect(series[0]?.since).toEqual(whole.since);
          expect(series.at(-1)?.until).toEqual(whole.until);
          for (const [i, { since }] of series.entries()) {
            if (i > 0) expect(since).toEqual(series[i - 1]?.until);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('can be set apart by status and key, and narrowed to one', async () => {
    const all = {
      since: new Date(FROM),
      until: new Date(Date.UTC(2027, 0)),
      bucket: 'month',
      zone: 'UTC',
    } as const;
    const read = (more: object) => usage.series(contextOf(account), { ...all, metric: 'requests', ...more });
    const sum = (counts: { count: number }[]) => counts.reduce((total, { count }) => total + count, 0);
    const byStatus = (await read({ groupBy: 'status' })).flatMap(({ groups }) => groups);
    expect(sum(byStatus)).toBe(6_000);
    expect(new Set(byStatus.map(({ value }) => value))).toEqual(new Set(['200', '202', '404']));
    const byKey = (await read({ groupBy: 'key' })).flatMap(({ groups }) => groups);
    expect(sum(byKey)).toBe(6_000);
    for (const keyId of keys) {
      expect(sum(await read({ keyId }))).toBe(sum(byKey.filter(({ value }) => value === keyId)));
    }
    const summary = await usage.summary(contextOf(account), all);
    expect(summary.requests.get(404)).toBe(sum(byStatus.filter(({ value }) => value === '404')));
  });

  it("are the account's and the mode's own", async () => {
    const query = { since: new Date(FROM), until: new Date(Date.UTC(2027, 0)) };
    const other = await seedAccount(db, 'Other');
    expect((await usage.summary(contextOf(other), query)).requests.size).toBe(0);
    expect((await usage.summary(contextOf(account, 'live'), query)).requests.size).toBe(0);
  });
});
