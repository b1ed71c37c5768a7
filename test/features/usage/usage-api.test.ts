import Papa from 'papaparse';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { activityRoutes } from '../../../src/features/usage/activity.routes.ts';
import { createActivityService } from '../../../src/features/usage/activity.service.ts';
import { usageRoutes } from '../../../src/features/usage/usage.routes.ts';
import { createUsageService } from '../../../src/features/usage/usage.service.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { type Edge, openEdge, principal } from '../../platform/http/open-edge.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { openActivityLog, requestOf } from './usage-fixture.ts';

let db: TestDatabase;
let account: string;
let edge: Edge;
let log: ReturnType<typeof openActivityLog>['log'];
const [keyId, otherKey, userId] = [newUuid(), newUuid(), newUuid()];
const scopes = new Set(['usage:read']);

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
  account = await seedAccount(db);
  log = openActivityLog(db).log;
  for (let i = 0; i < 2_600; i++) {
    const agent = i === 5 ? '=cmd|"/c calc"!A1' : `agent "${i}", of a line`;
    const failed = i % 10 === 0 && { status: 404, code: 'message.not_found', route: '/v1/messages/:id' };
    log.record(requestOf(account, { keyId, requestId: `req-${i}`, userAgent: agent, ...failed }));
  }
  log.record(requestOf(account, { keyId: otherKey, method: 'POST', status: 503, ip: '2001:db8::1' }));
  log.record(requestOf(account, { userId, requestId: 'by-user' }));
  log.record(requestOf(account, { mode: 'live' }));
  log.record(requestOf(await seedAccount(db, 'Other')));
  await log.flush();
  edge = await openEdge({
    database: db.database,
    vault: db.vault,
    routes: [
      ...usageRoutes(createUsageService({ database: db.database }), systemClock),
      ...activityRoutes(createActivityService({ database: db.database, clock: systemClock })),
    ],
    authenticate: async (key) =>
      principal({
        accountId: account,
        actor: { type: 'api_key', id: keyId },
        ...(key !== 'no-scope' && { scopes }),
        ...(key === 'no-scope' && { scopes: new Set() }),
      }),
    onRequest: (record) => log.record(record),
  });
});
afterAll(async () => {
  await edge.close();
  await log.close();
  await db.close();
});

interface Entry {
  id: string;
  request_id: string;
  status: number;
  key: string;
  route: string;
}
interface List {
  data: Entry[];
  has_more: boolean;
  next_cursor: string | null;
}
const get = async <T>(path: string) => (await edge.call('GET', path)).json<T>();
const idsOf = ({ data }: List) => data.map((entry) => entry.request_id);

describe('GET /v1/activity', () => {
  it("lists the account's requests in its mode, newest first, page by page", async () => {
    const first = await get<List>('/v1/activity?limit=100&until=2100-01-01T00:00:00Z');
    const second = await get<List>(`/v1/activity?limit=100&after=${first.next_cursor}`);
    const seen = [...first.data, ...second.data].filter(({ request_id: id }) => id.startsWith('req-'));
    expect(seen.slice(0, 3).map(({ request_id: id }) => id)).toEqual(['req-2599', 'req-2598', 'req-2597']);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(first).toMatchObject({ has_more: true });
    expect(seen[0]).toMatchObject({ key: toId('apiKey', keyId), route: '/v1/messages', status: 200 });
  });

  it('can be narrowed', async () => {
    expect(idsOf(await get('/v1/activity?request_id=req-77'))).toEqual(['req-77']);
    expect((await get<List>('/v1/activity?status=5xx')).data).toHaveLength(1);
    expect((await get<List>(`/v1/activity?key=${toId('apiKey', otherKey)}`)).data).toHaveLength(1);
    expect((await get<List>('/v1/activity?ip=2001:db8:0::1&method=POST')).data).toHaveLength(1);
    const missing = await get<List>('/v1/activity?error_code=message.not_found&status=404&limit=100');
    expect(missing.data.every(({ status, route }) => status === 404 && route === '/v1/messages/:id')).toBe(
      true,
    );
    expect(missing.has_more).toBe(true);
    expect((await get<List>('/v1/activity?until=2020-01-01T00:00:00Z')).data).toEqual([]);
    expect((await get<List>('/v1/activity?route=/v1/nothing')).data).toEqual([]);
  });

  it('tells who made a request: a key or a signed-in user', async () => {
    const user = toId('user', userId);
    const byUser = await get<List>(`/v1/activity?user=${user}`);
    expect(byUser.data).toMatchObject([{ request_id: 'by-user', key: null, user }]);
    const series = await get<{ total: number; data: { groups: object[] }[] }>(
      `/v1/usage/timeseries?metric=requests&group_by=user&user=${user}`,
    );
    expect(series.data.findLast(({ groups }) => groups.length > 0)?.groups).toEqual([
      { value: user, count: 1 },
    ]);
    expect((await get<{ requests: object }>(`/v1/usage/summary?user=${user}`)).requests).toMatchObject({
      total: 1,
    });
  });

  it('says what is wrong with a filter', async () => {
    for (const query of [
      'status=abc',
      'ip=here',
      'key=ses_1',
      'method=FETCH',
      'since=yesterday',
      'route=a%00b',
      'x=1',
      'since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z',
    ]) {
      for (const path of ['/v1/activity', '/v1/activity/export']) {
        const answer = await edge.call('GET', `${path}?${query}`);
        expect(answer.status, query).toBe(422);
        expect(answer.json()).toMatchObject({ errors: [{ pointer: `?${query.split('=')[0]}` }] });
      }
    }
  });

  it('shows a request that was refused for its scope, and itself', async () => {
    const refused = await edge.call('GET', '/v1/activity', undefined, {
      'x-api-key': 'no-scope',
      'x-request-id': 'refused-1',
    });
    expect(refused.status).toBe(403);
    await log.flush();
    expect((await get<List>('/v1/activity?request_id=refused-1')).data).toMatchObject([
      { status: 403, error_code: 'auth.scope_missing', route: '/v1/activity' },
    ]);
  });
});

describe('GET /v1/activity/export', () => {
  it('streams everything as CSV, which a spreadsheet reads and does not run', async () => {
    const answer = await edge.call(
      'GET',
      '/v1/activity/export?key=' + toId('apiKey', keyId) + '&status=2xx&route=/v1/messages',
    );
    expect(answer.headers.get('content-type')).toBe('text/csv');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="activity.csv"/);
    const { data, errors } = Papa.parse<Record<string, string>>(answer.text.trim(), { header: true });
    expect(errors).toEqual([]);
    expect(data).toHaveLength(2_340);
    expect(data[0]).toMatchObject({
      request_id: 'req-2599',
      status: '200',
      user_agent: 'agent "2599", of a line',
    });
    expect(data.find((row) => row['request_id'] === 'req-5')?.['user_agent']).toBe(`'=cmd|"/c calc"!A1`);
  });

  it('streams everything as lines of JSON, as the list shows it', async () => {
    const answer = await edge.call('GET', '/v1/activity/export?format=jsonl&error_code=message.not_found');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = answer.text
      .trim()
      .split('\n')
      .map((line): Entry => JSON.parse(line));
    expect(lines).toHaveLength(260);
    const [first] = (await get<List>('/v1/activity?error_code=message.not_found&limit=1')).data;
    expect(lines[0]).toEqual(first);
  });

  it('reads nothing for HEAD', async () => {
    const answer = await edge.call('HEAD', '/v1/activity/export');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

describe('GET /v1/usage', () => {
  const hour = () => `since=${new Date(Date.now() - 3_600_000).toISOString()}`;

  it('sums what was used', async () => {
    const summary = await get<Record<string, unknown>>(
      `/v1/usage/summary?${hour()}&key=${toId('apiKey', otherKey)}`,
    );
    expect(summary).toMatchObject({
      mode: 'test',
      messages: { queued: 0, received: 0 },
      requests: { total: 1, succeeded: 0, failed: 1, by_status: { 503: 1 } },
    });
  });

  it('counts over time, in groups, with empty buckets', async () => {
    const series = await get<{ total: number; data: { count: number; groups: object[] }[] }>(
      `/v1/usage/timeseries?metric=requests&bucket=hour&time_zone=Asia/Kolkata&group_by=status&key=${toId('apiKey', otherKey)}`,
    );
    expect(series.total).toBe(1);
    expect(series.data.length).toBeGreaterThanOrEqual(24);
    expect(series.data.findLast(({ count }) => count > 0)).toMatchObject({
      count: 1,
      groups: [{ value: '503', count: 1 }],
    });
    expect(series.data[0]).toMatchObject({ count: 0, groups: [] });
  });

  it('exports the same', async () => {
    const byKey = await edge.call('GET', '/v1/usage/export?metric=requests&group_by=key&status=503');
    const { data } = Papa.parse<Record<string, string>>(byKey.text.trim(), { header: true });
    expect(data).toMatchObject([{ group: toId('apiKey', otherKey), count: '1' }]);
    const days = await edge.call('GET', '/v1/usage/export?format=jsonl&metric=requests&status=503');
    const lines = days.text
      .trim()
      .split('\n')
      .map((line): { count: number } => JSON.parse(line));
    expect(lines.findLast(({ count }) => count > 0)).toMatchObject({ group: null, count: 1 });
    expect(lines.length).toBeGreaterThanOrEqual(30);
  });

  it('takes the longest range from one minute to the same a month later', async () => {
    const [since, until] = ['2026-01-01T00:07:00Z', '2026-02-01T00:07:00Z'];
    const series = await get<{ since: string; until: string; data: object[] }>(
      `/v1/usage/timeseries?bucket=hour&since=${since}&until=${until}`,
    );
    expect([series.since, series.until]).toEqual(['2026-01-01T00:00:00.000Z', '2026-02-01T00:15:00.000Z']);
    expect(series.data).toHaveLength(31 * 24 + 1);
  });

  it('names the parameter that is wrong', async () => {
    const session = toId('session', newUuid());
    const wrong = {
      'since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z': '?since',
      'since=2999-02-01T00:00:00Z': '?since',
      'until=1990-01-01T00:00:00Z': '?until',
      'bucket=hour&since=2026-01-01T00:00:00Z&until=2026-06-01T00:00:00Z': '?since',
      'metric=requests&status=sent': '?status',
      'metric=messages&status=404': '?status',
      'status=404': '?status',
      [`metric=requests&session=${session}`]: '?session',
      [`key=${toId('apiKey', newUuid())}`]: '?key',
      [`user=${toId('user', newUuid())}`]: '?user',
    };
    for (const [query, pointer] of Object.entries(wrong)) {
      for (const path of ['/v1/usage/timeseries', '/v1/usage/export']) {
        const answer = await edge.call('GET', `${path}?${query}`);
        expect(answer.status, query).toBe(422);
        expect(answer.json().errors, query).toMatchObject([{ pointer, detail: expect.any(String) }]);
      }
    }
    const summary = await edge.call(
      'GET',
      '/v1/usage/summary?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z',
    );
    expect(summary.json().errors).toMatchObject([{ pointer: '?since' }]);
  });

  it('says what is wrong with a range', async () => {
    const wrong = {
      'bucket=hour&since=2026-01-01T00:00:00Z&until=2026-06-01T00:00:00Z': 'usage.range_invalid',
      'since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z': 'usage.range_invalid',
      'since=1990-01-01T00:00:00Z&bucket=month': 'usage.range_invalid',
      'since=2026-02-01T00:10:00Z&until=2026-02-01T00:05:00Z': 'usage.range_invalid',
      'since=9999-12-01T00:00:00Z&until=9999-12-31T23:59:59Z': 'usage.range_invalid',
      'time_zone=Mars/Olympus': 'request.invalid',
      // Node knows it, Postgres does not.
      'time_zone=US/Pacific-New': 'request.invalid',
      'time_zone=%2B05:30': 'request.invalid',
      'group_by=colour': 'request.invalid',
      'status=sended': 'request.invalid',
      'status=%00': 'request.invalid',
    };
    for (const [query, code] of Object.entries(wrong)) {
      const answer = await edge.call('GET', `/v1/usage/timeseries?${query}`);
      expect([answer.status, answer.json().code], query).toEqual([422, code]);
    }
  });
});
