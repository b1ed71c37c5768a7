import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ActivityRow } from '../../../src/features/usage/activity.model.ts';
import { activityRoutes } from '../../../src/features/usage/activity.routes.ts';
import { createActivityService } from '../../../src/features/usage/activity.service.ts';
import type { ActivityFilter } from '../../../src/features/usage/activity.store.ts';
import { type SearchPace, searchActivity } from '../../../src/features/usage/search-activity.ts';
import { newUuid, uuidFloor } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import type { AccountTx } from '../../../src/platform/db/scope.ts';
import { openEdge, principal } from '../../platform/http/open-edge.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { entryAt, matching, write } from './activity-fixture.ts';

let db: TestDatabase;
let account: string;
let rows: ActivityRow[];
const [busyKey, rareKey, user] = [newUuid(), newUuid(), newUuid()];
const NOW = Date.now();
const DAY = 86_400_000;
const DAYS = 40;
const ROWS = 500;

/** Counts on, so that neighbours differ; most values are common, some rare. */
function anyEntry(owner: string, n: number): ActivityRow {
  const at = new Date(NOW - DAYS * DAY + Math.floor((n * DAYS * DAY) / ROWS));
  const status = [200, 200, 202, 200, 404, 202, 200, 422, 500][n % 9] ?? 200;
  return entryAt(owner, at, {
    method: n % 50 === 7 ? 'DELETE' : n % 3 === 0 ? 'POST' : 'GET',
    route: ['/v1/messages', '/v1/messages/:id', '/v1/sessions'][n % 4] ?? '/v1/events',
    status: n % 211 === 5 ? 304 : status,
    code: status >= 400 ? `e.${status}` : undefined,
    ip: n % 97 === 0 ? '2001:db8::1' : `203.0.113.${n % 2}`,
    requestId: n % 10 === 0 ? 'always-the-same' : `request-${n}`,
    ...(n % 13 === 0 ? { userId: user } : { keyId: n % 101 === 1 ? rareKey : busyKey }),
  });
}

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  account = await seedAccount(db);
  const other = await seedAccount(db, 'Other');
  rows = Array.from({ length: ROWS }, (_, n) => anyEntry(account, n));
  await write(db, rows);
  await write(
    db,
    Array.from({ length: ROWS / 2 }, (_, n) => anyEntry(other, n * 2)),
  );
});
afterAll(() => db.close());

const SMALL: SearchPace = { firstStep: 20, largestStep: 60, ms: 1 };

/** A service that gives up its search after every so many steps. */
function searcher(pace: SearchPace = SMALL, stepsAPage = 1) {
  let asked = 0;
  // The first reading starts a search.
  const clock = { now: () => new Date((asked++ % (stepsAPage + 1) === stepsAPage ? 1 : 0) * pace.ms) };
  return createActivityService({ database: db.database, clock, pace });
}

async function walk(filter: ActivityFilter, limit: number, between = async () => {}) {
  const service = searcher();
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { rows: found, next } = await service.list(contextOf(account), { filter, limit, after });
    pages.push(found.map(({ id }) => id));
    if (next !== undefined && after !== undefined) expect(next < after).toBe(true);
    after = next;
    await between();
  } while (after !== undefined);
  return pages;
}

const maybe = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 1 });
const time = fc.integer({ min: -2, max: DAYS + 2 }).map((days) => new Date(NOW - days * DAY));
const anyFilter: fc.Arbitrary<ActivityFilter> = fc.record({
  method: maybe(['GET', 'POST', 'DELETE', 'PUT']),
  route: maybe(['/v1/messages', '/v1/events', '/v1/nothing']),
  status: maybe([
    { from: 200, to: 299 },
    { from: 304, to: 304 },
    { from: 404, to: 404 },
    { from: 400, to: 499 },
    { from: 100, to: 199 },
  ]),
  keyId: maybe([busyKey, rareKey, newUuid()]),
  userId: fc.option(fc.constant(user), { nil: undefined, freq: 4 }),
  requestId: fc.option(fc.constantFrom('always-the-same', 'request-77'), { nil: undefined, freq: 4 }),
  errorCode: fc.option(fc.constantFrom('e.404', 'e.422'), { nil: undefined, freq: 4 }),
  ip: maybe(['203.0.113.1', '2001:db8::1', '198.51.100.1']),
  since: fc.option(time, { nil: undefined }),
  until: fc.option(time, { nil: undefined }),
});
const few = fc
  .tuple(
    anyFilter,
    fc.shuffledSubarray<keyof ActivityFilter>(
      ['method', 'route', 'status', 'keyId', 'userId', 'requestId', 'errorCode', 'ip', 'since', 'until'],
      { maxLength: 4 },
    ),
  )
  .map(([all, kept]): ActivityFilter => Object.fromEntries(kept.map((name) => [name, all[name]])));

describe('pages of the log', () => {
  it('joined by their cursors are all that match, each once, newest first, for any filter', async () => {
    await fc.assert(
      fc.asyncProperty(few, fc.integer({ min: 5, max: 60 }), async (filter, limit) => {
        const pages = await walk(filter, limit);
        expect(pages.every((page) => page.length <= limit)).toBe(true);
        expect(pages.flat()).toEqual(matching(rows, filter));
      }),
      { numRuns: 60 },
    );
  });

  it('are so while rows are added, late ones and new ones', async () => {
    const mine = await seedAccount(db, 'Growing');
    const first = Array.from({ length: ROWS / 2 }, (_, n) => anyEntry(mine, n * 2));
    await write(db, first);
    const service = searcher();
    await fc.assert(
      fc.asyncProperty(few, fc.integer({ min: 5, max: 60 }), async (filter, limit) => {
        const before = matching(first, filter);
        const late = Array.from({ length: 12 }, (_, n) => anyEntry(mine, n * 40));
        const found: string[] = [];
        let after: string | undefined;
        do {
          const page = await service.list(contextOf(mine), { filter, limit, after });
          found.push(...page.rows.map(({ id }) => id));
          after = page.next;
          if (late.length === 0) continue;
          const added = [entryAt(mine, new Date(), { keyId: busyKey }), ...late.splice(0, 2)];
          await write(db, added);
          first.push(...added);
        } while (after !== undefined);
        expect(found).toEqual([...new Set(found)].toSorted().toReversed());
        expect(found).toEqual(expect.arrayContaining(before));
        const all = new Set(matching(first, filter));
        expect(found.every((id) => all.has(id))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it('miss nothing where others write between the statements of one search', async () => {
    const mine = await seedAccount(db, 'Busy');
    const first = Array.from({ length: ROWS / 2 }, (_, n) => anyEntry(mine, n * 2));
    await write(db, first);
    // What is written matches, and is in both indexes.
    const filter = { keyId: busyKey, route: '/v1/messages' };
    const found: string[] = [];
    await db.database.account(contextOf(mine), async (tx) => {
      const query = async <Row extends object>(text: string, values: readonly unknown[] = []) => {
        const late = [1, 5, 9].map((n) => entryAt(mine, new Date(NOW - n * DAY - 1), { keyId: busyKey }));
        await write(db, late);
        return tx.query<Row>(text, values);
      };
      const busy: AccountTx = { ...tx, query };
      let after: string | undefined;
      do {
        const search = { filter, limit: 30, after };
        const page = await searchActivity(busy, contextOf(mine), search, { clock: systemClock, pace: SMALL });
        found.push(...page.rows.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
    });
    expect(found).toEqual([...new Set(found)].toSorted().toReversed());
    expect(found).toEqual(expect.arrayContaining(matching(first, filter)));
  });

  it.each<[string, ActivityFilter]>([
    ['a status below 400', { status: { from: 304, to: 304 } }],
    ['a method', { method: 'DELETE' }],
    ['an address', { ip: '2001:db8::1' }],
    ['a request id that one caller gives to all', { requestId: 'always-the-same' }],
    ['a key', { keyId: rareKey }],
    ['a user', { userId: user }],
  ])('hold all of %s at once, however far back', async (_what, filter) => {
    const wanted = matching(rows, filter);
    const service = createActivityService({ database: db.database, clock: systemClock });
    const { rows: found, next } = await service.list(contextOf(account), { filter, limit: 100 });
    expect(found.map(({ id }) => id)).toEqual(wanted.slice(0, 100));
    expect(next).toBe(wanted[100] && wanted[99]);
  });

  it('may be empty while there is more, where what is common alone is rare together', async () => {
    const filter = { keyId: busyKey, ip: '2001:db8::1', route: '/v1/sessions' };
    const wide = { keyId: busyKey, route: '/v1/sessions', method: 'DELETE', until: new Date(NOW - 5 * DAY) };
    for (const given of [filter, wide]) {
      const pages = await walk(given, 100);
      expect(pages.flat()).toEqual(matching(rows, given));
    }
    const pages = await walk({ route: '/v1/messages', method: 'DELETE', keyId: busyKey }, 1);
    expect(pages.some((page) => page.length === 0)).toBe(true);
  });

  it('hold nothing by a key and a user at once, nor in the other mode', async () => {
    const both = { keyId: busyKey, userId: user };
    expect(await walk(both, 10)).toEqual([[]]);
    const live = await searcher().list(contextOf(account, 'live'), { filter: {}, limit: 10 });
    expect(live).toEqual({ rows: [], next: undefined });
  });

  it('take what is found by as many steps as there is time for', async () => {
    const filter = { route: '/v1/messages', method: 'DELETE' };
    const list = (steps: number) => searcher(SMALL, steps).list(contextOf(account), { filter, limit: 100 });
    const [one, many] = [await list(1), await list(1_000)];
    expect(one.next).toBeDefined();
    expect(many).toMatchObject({ next: undefined });
    expect(many.rows.map(({ id }) => id)).toEqual(matching(rows, filter));
  });
});

describe('an export of the log', () => {
  it('holds all that match, for any filter', async () => {
    await fc.assert(
      fc.asyncProperty(few, async (filter) => {
        const found: string[] = [];
        for await (const page of searcher().all(contextOf(account), filter)) {
          found.push(...page.map(({ id }) => id));
        }
        expect(found).toEqual(matching(rows, filter));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a search', () => {
  it('puts the times of a filter between the same ids as the database its weeks', async () => {
    const times = ['0001-01-01', '1969-12-31', '1970-01-01', '2026-11-21', '9999-12-31'].map(
      (t) => new Date(t),
    );
    const { rows: found } = await db.owner.query<{ floor: string }>(
      'select app.uuid_floor(t) as floor from unnest($1::timestamptz[]) with ordinality as u (t, n) order by n',
      [times],
    );
    expect(found.map(({ floor }) => floor)).toEqual(times.map(uuidFloor));
  });

  it('reads the index of its filter below the policies, and no more of the log', async () => {
    const filters: [ActivityFilter, string][] = [
      [{}, 'mode, id'],
      [{ keyId: busyKey }, 'key_id, id'],
      [{ userId: user }, 'user_id, id'],
      [{ route: '/v1/messages' }, 'route, id'],
      [{ requestId: 'request-77' }, 'request_id, id'],
      [{ errorCode: 'e.404' }, 'error_code, id'],
      [{ ip: '203.0.113.1' }, 'ip, id'],
      [{ method: 'GET', status: { from: 200, to: 299 } }, 'status, id'],
    ];
    for (const [filter, columns] of filters) {
      const plans = await plansOf(filter);
      expect(plans.length, columns).toBeGreaterThan(0);
      const own = `ROW(${columns}) <`;
      expect(plans.some((plan) => plan.includes(own))).toBe(true);
      for (const plan of plans) {
        expect(plan).not.toMatch(/Seq Scan on activity_log|Bitmap/);
        const scans = plan.split('\n').filter((line) => line.includes(' on activity_log'));
        expect(scans.every((line) => /Index (Only )?Scan/.test(line))).toBe(true);
        const conditions = plan.split('\n').filter((line) => line.includes('Index Cond'));
        expect(conditions.length).toBeGreaterThanOrEqual(scans.length);
      }
    }
  });

  /** How Postgres runs the statements of a search. */
  async function plansOf(filter: ActivityFilter): Promise<string[]> {
    const plans: string[] = [];
    await db.database.account(contextOf(account), async (tx) => {
      const query = async <Row extends object>(text: string, values: readonly unknown[] = []) => {
        if (text.includes('activity_log')) {
          const lines = await tx.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${text}`, values);
          plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'));
        }
        return tx.query<Row>(text, values);
      };
      const traced: AccountTx = { ...tx, query };
      const parts = { clock: systemClock, pace: SMALL };
      await searchActivity(traced, contextOf(account), { filter, limit: 5 }, parts);
    });
    return plans;
  }
});

describe('GET /v1/activity', () => {
  it('answers a short page with a cursor that leads on to the rest', async () => {
    const edge = await openEdge({
      database: db.database,
      routes: activityRoutes(searcher({ firstStep: 4, largestStep: 4, ms: 1 })),
      authenticate: async () => principal({ accountId: account }),
    });
    const filter = { route: '/v1/messages', method: 'DELETE' };
    const query = `/v1/activity?route=${filter.route}&method=${filter.method}&limit=100`;
    const sizes: number[] = [];
    let cursor: string | null = null;
    do {
      const answer = await edge.call('GET', cursor === null ? query : `${query}&after=${cursor}`);
      const page: { data: object[]; has_more: boolean; next_cursor: string | null } = answer.json();
      expect(page.has_more).toBe(page.next_cursor !== null);
      sizes.push(page.data.length);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes).toContain(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(matching(rows, filter).length);
    await edge.close();
  });

  it('finds an entry by the very time that it shows', async () => {
    const edge = await openEdge({
      database: db.database,
      routes: activityRoutes(searcher()),
      authenticate: async () => principal({ accountId: account }),
    });
    const [{ at, id }] = (await edge.call('GET', '/v1/activity?limit=1')).json<{
      data: [{ at: string; id: string }];
    }>().data;
    const since = (await edge.call('GET', `/v1/activity?since=${at}`)).json<{ data: { id: string }[] }>();
    expect(since.data.map((entry) => entry.id)).toContain(id);
    const until = (await edge.call('GET', `/v1/activity?until=${at}`)).json<{ data: { id: string }[] }>();
    expect(until.data.map((entry) => entry.id)).not.toContain(id);
    await edge.close();
  });
});
