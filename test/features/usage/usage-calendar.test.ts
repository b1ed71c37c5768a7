import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Bucket } from '../../../src/features/usage/usage.model.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());

const QUARTER = 15 * 60_000;

async function bucketsOf(since: Date, until: Date, bucket: Bucket, zone: string) {
  const { rows } = await db.owner.query<{ starts: Date; ends: Date }>(
    'select starts, ends from app.usage_buckets($1, $2, $3, $4)',
    [since, until, bucket, zone],
  );
  return rows;
}

/** What a calendar and a clock on the wall say, by Node's own data: the month, the day or the hour. */
function reader(bucket: Bucket, zone: string) {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    ...(bucket !== 'month' && { day: '2-digit' }),
    ...(bucket === 'hour' && { hour: '2-digit' }),
  });
  return (at: number) => format.format(at);
}

const ZONES = [
  ...['UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York', 'Europe/Berlin', 'Australia/Adelaide'],
  ...['Pacific/Chatham', 'America/St_Johns', 'Pacific/Apia', 'Antarctica/Troll', 'Australia/Lord_Howe'],
  // Set forward at midnight, set back to midnight, set back from midnight.
  ...['Africa/Cairo', 'Asia/Beirut', 'America/Havana', 'Atlantic/Azores', 'America/Santiago'],
];
const DAYS = { hour: 20, day: 400, month: 2_000 } as const;

describe('buckets of a time zone', () => {
  it('each hold one month, day or hour of the wall clock, whole but for the ends of the range', async () => {
    const start = fc.integer({ min: Date.UTC(2024, 0) / QUARTER, max: Date.UTC(2027, 0) / QUARTER });
    await fc.assert(
      fc.asyncProperty(
        start,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('hour', 'day', 'month'),
        fc.constantFrom(...ZONES),
        async (first, share, bucket, zone) => {
          const since = first * QUARTER;
          const until = since + QUARTER * Math.ceil(1 + share * DAYS[bucket] * 96);
          const buckets = await bucketsOf(new Date(since), new Date(until), bucket, zone);
          const read = reader(bucket, zone);
          expect(buckets[0]?.starts.getTime()).toBe(since);
          expect(buckets.at(-1)?.ends.getTime()).toBe(until);
          for (const [i, { starts, ends }] of buckets.entries()) {
            const [from, to] = [starts.getTime(), ends.getTime()];
            if (i > 0) expect(starts).toEqual(buckets[i - 1]?.ends);
            // Clocks that are set back show the same hour again: that is a bucket of its own.
            if (i > 0 && bucket !== 'hour') expect(read(from)).not.toBe(read(from - 1));
            const step = bucket === 'month' ? 97 * QUARTER : QUARTER;
            const shown = new Set<string>([read(to - 1)]);
            for (let at = from; at < to; at += step) shown.add(read(at));
            expect([...shown], `${zone} ${bucket} from ${starts.toISOString()}`).toHaveLength(1);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begin with the first of two midnights where clocks are set back to midnight', async () => {
    const [azores, havana] = [new Date('2026-10-25T00:00:00Z'), new Date('2026-11-01T04:00:00Z')];
    const days = (around: Date, zone: string) =>
      bucketsOf(new Date(around.getTime() - 3_600_000), new Date(around.getTime() + 90_000_000), 'day', zone);
    expect((await days(azores, 'Atlantic/Azores'))[1]).toEqual({
      starts: azores,
      ends: new Date('2026-10-26T01:00:00Z'),
    });
    expect((await days(havana, 'America/Havana'))[1]).toEqual({
      starts: havana,
      ends: new Date('2026-11-02T05:00:00Z'),
    });
  });

  it('show an hour twice where clocks are set back, and not at all where they are set forward', async () => {
    const lengths = async (day: string) =>
      (await bucketsOf(new Date(`${day}T04:00Z`), new Date(`${day}T08:00Z`), 'hour', 'America/New_York'))
        .length;
    expect([await lengths('2026-03-08'), await lengths('2026-11-01')]).toEqual([4, 4]);
  });

  it('go on at full hours after a change by half an hour', async () => {
    const hours = await bucketsOf(
      new Date('2026-04-04T14:00Z'),
      new Date('2026-04-04T16:30Z'),
      'hour',
      'Australia/Lord_Howe',
    );
    expect(hours.map(({ starts }) => starts.toISOString().slice(11, 16))).toEqual(['14:00', '15:30']);
  });
});
