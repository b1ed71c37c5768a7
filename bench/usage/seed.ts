import pg from 'pg';
import { newUuid } from '../../src/lib/ids.ts';

/** What was made. */
export interface Seeded {
  accountId: string;
  /** Keys that made the requests; the last one made a few only. */
  keys: string[];
  /** Id of one request in the middle of the log. */
  requestId: string;
}

export interface SeedOptions {
  /** Connection string of the database's owner, migrated. */
  url: string;
  rows: number;
  /** The log reaches back so far. */
  days: number;
  onStep: (what: string) => void;
}

const ROUTES = [
  '/v1/messages',
  '/v1/messages/:id',
  '/v1/sessions',
  '/v1/sessions/:id',
  '/v1/events',
  '/v1/send',
];
const SESSIONS = 5;

/**
 * Fills the activity log of a new account in test mode, evenly over the days up to now, with its counts, and counts of
 * messages besides, in the order of time as they would come. Rows are generated inside Postgres, a week at a time, and indexed afterwards.
 */
export async function seedUsage({ url, rows, days, onStep }: SeedOptions): Promise<Seeded> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `set synchronous_commit = off; set maintenance_work_mem = '512MB'; set work_mem = '256MB'`,
    );
    const accountId = newUuid();
    const keys = Array.from({ length: 4 }, newUuid);
    await client.query('insert into accounts (id, name) values ($1, $2)', [accountId, 'Seeded']);
    await client.query(`call app.make_partitions('activity_log', current_date - $1::integer, current_date)`, [
      days,
    ]);
    const indexes = await takeIndexes(client);
    const perDay = Math.ceil(rows / days);
    for (let day = days; day > 0; day--) {
      await client.query(FILL_DAY, [accountId, keys, ROUTES, day, perDay]);
      if (day % 15 === 0) onStep(`${days - day + 1} of ${days} days`);
    }
    for (const index of indexes) {
      await client.query(index);
      onStep(index.slice(0, 100));
    }
    await client.query(COUNT_REQUESTS, [accountId]);
    onStep('counts of requests');
    await client.query(COUNT_MESSAGES, [accountId, Array.from({ length: SESSIONS }, newUuid), days]);
    await client.query(COARSER, [accountId]);
    onStep('counts of messages');
    await client.query('vacuum analyze activity_log, usage_counts');
    onStep('vacuum');
    const { rows: found } = await client.query<{ request_id: string }>(
      `select request_id from activity_log where account_id = $1 and id > app.uuid_floor(now() - make_interval(days => $2))
       order by id limit 1`,
      [accountId, Math.floor(days / 2)],
    );
    return { accountId, keys, requestId: found[0]?.request_id ?? '' };
  } finally {
    await client.end();
  }
}

/** Drops the log's indexes but the primary key. @returns the statements that make them again */
async function takeIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
     where i.indrelid = 'activity_log'::regclass and not i.indisprimary`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition.replace(' ON ONLY ', ' ON '));
}

/**
 * Parameters: account, keys, routes, days ago, rows. The last key makes one request in ten thousand, the second only
 * POSTs. Nine days ago a stranger's address made a few, 40 days ago there were some DELETEs, 60 days ago some 304s.
 */
const FILL_DAY = `
  insert into activity_log (id, account_id, mode, at, method, route, status, duration_ms, key_id, ip, user_agent,
    request_id, error_code)
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
      placing substring(int8send((extract(epoch from t.at) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid,
    $1, 'test', t.at, case when $4 = 40 and n % 9001 = 0 then 'DELETE' when n % 3 = 1 then 'POST' else 'GET' end,
    ($3::text[])[1 + n % 6],
    s.status, 2 + n % 50, ($2::uuid[])[case when n % 10000 = 0 then 4 else 1 + n % 3 end],
    case when $4 = 9 and n % 9001 = 0 then '198.51.100.7' else '203.0.113.0'::inet + n % 200 end, 'seed/' || n % 20, 'req_' || md5(n::text || '/' || $4::text),
    case when s.status >= 500 then 'service.unexpected' when s.status >= 400 then 'request.invalid' end
  from generate_series(1, $5::integer) as n
  cross join lateral (select now() - make_interval(days => $4::integer, secs => -86400.0 * n / $5::integer) as at) t
  cross join lateral (select case when $4 = 60 and n % 9001 = 0 then 304 when n % 9973 = 0 then 500 when n % 97 = 0 then 429 when n % 31 = 0 then 422
    when n % 3 = 0 then 202 else 200 end as status) s`;

const COUNT_REQUESTS = `
  insert into usage_counts (account_id, mode, metric, minutes, start, key_id, status, count)
  select account_id, mode, 'requests', 15, date_bin('15 minutes', at, '2000-01-01 00:00Z'), key_id, status::text, count(*)
  from activity_log where account_id = $1 group by 1, 2, 5, 6, 7 order by 5`;

/** Parameters: account, sessions, days. Each status of each session in each quarter of an hour. */
const COUNT_MESSAGES = `
  insert into usage_counts (account_id, mode, metric, minutes, start, session_id, status, count)
  select $1, 'test', 'messages', 15, date_bin('15 minutes', t, '2000-01-01 00:00Z'), s, status, 1 + random() * 40
  from generate_series(now() - make_interval(days => $3::integer), now(), interval '15 minutes') as t
  cross join unnest($2::uuid[]) as s
  cross join unnest(array['queued', 'sent', 'delivered', 'read', 'failed', 'received']) as status
  order by t`;

const COARSER = `
  insert into usage_counts (account_id, mode, metric, minutes, start, session_id, key_id, status, count)
  select account_id, mode, metric, w, date_bin(make_interval(mins => w), start, '2000-01-01 00:00Z'), session_id, key_id,
    status, sum(count)
  from usage_counts cross join unnest(array[30, 60, 360, 1440]) as w
  where account_id = $1 group by 1, 2, 3, 4, 5, 6, 7, 8 order by 5`;
