import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { toActivityRow } from '../src/features/usage/activity.model.ts';
import { activityRoutes } from '../src/features/usage/activity.routes.ts';
import { createActivityService } from '../src/features/usage/activity.service.ts';
import { writeActivity } from '../src/features/usage/activity.system.ts';
import { usageRoutes } from '../src/features/usage/usage.routes.ts';
import { createUsageService } from '../src/features/usage/usage.service.ts';
import { newUuid, toId } from '../src/lib/ids.ts';
import { systemClock } from '../src/lib/system-clock.ts';
import { createDatabase, type Database } from '../src/platform/db/database.ts';
import { migrate } from '../src/platform/db/migrate.ts';
import { createPool } from '../src/platform/db/pool.ts';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres/embedded-postgres.ts';
import { type Edge, openEdge, principal } from '../test/platform/http/open-edge.ts';
import { cleanUpAfterKill } from '../test/support/clean-up-after-kill.ts';
import { silentLog } from '../test/support/log.ts';
import { quantile } from './load/statistics.ts';
import { type Seeded, seedUsage } from './usage/seed.ts';

// Times the usage calls over HTTP, on an account with as many logged requests as asked for: `--rows=10000000 --days=90`.

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '10000000' }, days: { type: 'string', default: '90' } },
});
const ROUNDS = 60;

const dir = await mkdtemp(path.join(tmpdir(), 'pingr-bench-usage-'));
const postgres = await startEmbeddedPostgres({ dataDir: dir, log: silentLog });
cleanUpAfterKill(path.join(dir, 'cluster/postmaster.pid'), dir);
try {
  await migrate({ url: postgres.url });
  const started = performance.now();
  const elapsed = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  const seeded = await seedUsage({
    url: postgres.url,
    rows: Number(values.rows),
    days: Number(values.days),
    onStep: (what) => console.log(`${elapsed()}: ${what}`),
  });
  console.log(
    `\n${await sizes(postgres.url)}\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}\n`,
  );
  await measure(postgres.url, seeded);
} finally {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
}

async function sizes(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ text: string }>(
    `select format('activity_log: %s rows, %s with indexes; usage_counts: %s rows, %s with indexes',
       (select count(*) from activity_log),
       (select pg_size_pretty(sum(pg_total_relation_size(inhrelid))) from pg_inherits where inhparent = 'activity_log'::regclass),
       (select count(*) from usage_counts), pg_size_pretty(pg_total_relation_size('usage_counts'))) as text`,
  );
  await client.end();
  return rows[0]?.text ?? '';
}

async function measure(url: string, seeded: Seeded): Promise<void> {
  const { accountId, keys } = seeded;
  const pool = createPool({ url, max: 4, name: 'bench', log: silentLog });
  const systemPool = createPool({ url, max: 4, name: 'bench', scope: 'system', log: silentLog });
  const database = createDatabase(pool, systemPool);
  const edge = await openEdge({
    database,
    limit: 1_000_000,
    routes: [
      ...usageRoutes(createUsageService({ database }), systemClock),
      ...activityRoutes(createActivityService({ database, clock: systemClock })),
    ],
    authenticate: async () => principal({ accountId }),
  });
  console.log('| call | least ms | p50 ms | p99 ms | bytes |\n| --- | ---: | ---: | ---: | ---: |');
  for (const [name, call] of Object.entries(callsOf(seeded))) {
    const { times, bytes } = await timeCall(edge, call);
    const figures = [0, 0.5, 0.99].map((share) => quantile(times, share).toFixed(1));
    console.log(`| ${name} | ${figures.join(' | ')} | ${bytes} |`);
  }
  console.log(`\nexport: ${(await timeExport(edge)).toFixed(0)} rows a second`);
  const began = performance.now();
  const pages = await walk(edge, neverMeeting(seeded));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`a key and a method that never meet, to the end of the log: ${pages} pages in ${seconds} s`);
  await edge.close();
  console.log(
    `writing: ${(await timeWriting(database, accountId, keys)).toFixed(0)} µs a request, in batches of 500`,
  );
  await Promise.all([pool.end(), systemPool.end()]);
}

function ago(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}

/** A third of the log and two thirds of it. */
function neverMeeting({ keys }: Seeded): string {
  return `/v1/activity?limit=100&key=${toId('apiKey', keys[1] ?? '')}&method=GET`;
}

function callsOf(seeded: Seeded): Record<string, string> {
  const { keys, requestId } = seeded;
  const rare = toId('apiKey', keys.at(-1) ?? '');
  return {
    'summary, 30 days': '/v1/usage/summary',
    'summary, 89 days and some minutes': `/v1/usage/summary?since=${ago(89.123)}`,
    'series, 24 hours by hour': '/v1/usage/timeseries?bucket=hour&metric=requests',
    'series, 31 days by hour, by status': `/v1/usage/timeseries?bucket=hour&since=${ago(30.9)}&group_by=status&metric=requests`,
    'series, 30 days by day': '/v1/usage/timeseries',
    'series, 90 days by day, by session, Asia/Kolkata': `/v1/usage/timeseries?since=${ago(90)}&group_by=session&time_zone=Asia/Kolkata`,
    'series, 90 days by day, by key, Asia/Kathmandu': `/v1/usage/timeseries?since=${ago(90)}&group_by=key&time_zone=Asia/Kathmandu&metric=requests`,
    'series, a year by month': '/v1/usage/timeseries?bucket=month',
    'activity, first page': '/v1/activity?limit=100',
    'activity, 45 days back': `/v1/activity?limit=100&until=${ago(45)}`,
    'activity, answers of 5xx': '/v1/activity?limit=100&status=5xx',
    'activity, a rare key': `/v1/activity?limit=100&key=${rare}`,
    'activity, a class of statuses, 4xx': '/v1/activity?limit=100&status=4xx',
    'activity, a status of 60 days ago, 304': '/v1/activity?limit=100&status=304',
    'activity, a method of 40 days ago': '/v1/activity?limit=100&method=DELETE',
    'activity, an address of nine days ago': '/v1/activity?limit=100&ip=198.51.100.7',
    'activity, an address that never called': '/v1/activity?limit=100&ip=198.51.100.1',
    'activity, a route that nobody calls': '/v1/activity?limit=100&route=/v1/plans',
    'activity, an address and answers of 5xx': '/v1/activity?limit=100&ip=203.0.113.5&status=5xx',
    'activity, a route and a rare method': '/v1/activity?limit=100&route=/v1/messages&method=DELETE',
    'activity, one request': `/v1/activity?request_id=${requestId}`,
    'activity, a key and a method that never meet': neverMeeting(seeded),
    'activity, an error code, 60 days back': `/v1/activity?limit=100&error_code=service.unexpected&until=${ago(60)}`,
  };
}

/** @returns milliseconds that each round took, and how long the answer is */
async function timeCall(edge: Edge, call: string): Promise<{ times: number[]; bytes: number }> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const answer = await edge.call('GET', call);
    times.push(performance.now() - began);
    bytes = answer.text.length;
    if (answer.status !== 200) throw new Error(`${call}: ${answer.text}`);
  }
  return { times, bytes };
}

/** @returns rows a second */
async function timeExport(edge: Edge): Promise<number> {
  const began = performance.now();
  const { text } = await edge.call('GET', `/v1/activity/export?since=${ago(3)}`);
  return text.split('\n').length / ((performance.now() - began) / 1000);
}

/** Follows the cursors to the last page. @returns how many pages there were */
async function walk(edge: Edge, query: string): Promise<number> {
  let cursor: string | null = null;
  let pages = 0;
  do {
    const answer = await edge.call('GET', cursor === null ? query : `${query}&after=${cursor}`);
    cursor = answer.json<{ next_cursor: string | null }>().next_cursor;
    pages++;
  } while (cursor !== null);
  return pages;
}

/** Microseconds that a request takes to write and count, waiting for Postgres included. */
async function timeWriting(database: Database, accountId: string, keys: readonly string[]): Promise<number> {
  const batches = 20;
  const actor = (n: number) => ({ type: 'api_key' as const, id: keys[n % keys.length] ?? '' });
  const began = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    const rows = Array.from({ length: 500 }, (_, n) =>
      toActivityRow(
        {
          requestId: toId('request', newUuid()),
          method: 'POST',
          route: '/v1/messages',
          status: n % 20 === 0 ? 422 : 202,
          ms: 4,
          ip: '203.0.113.7',
          userAgent: 'bench',
          code: n % 20 === 0 ? 'request.invalid' : undefined,
          principal: principal({ accountId, actor: actor(n) }),
        },
        newUuid(),
        new Date(),
      ),
    );
    await database.systemOnce((tx) =>
      writeActivity(
        tx,
        rows.filter((row) => row !== undefined),
      ),
    );
  }
  return ((performance.now() - began) * 1000) / (batches * 500);
}
