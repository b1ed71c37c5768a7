import type { SystemTx } from '../../platform/db/scope.ts';
import type { ActivityRow } from './activity.model.ts';

/**
 * Writes requests and counts them, in one statement. Rows that were written before (the connection may be lost after
 * the commit) are neither written nor counted again. Counts are taken in one order by all processes, so that they wait
 * for each other and never in a circle.
 */
export async function writeActivity(tx: SystemTx, rows: readonly ActivityRow[]): Promise<void> {
  await tx.query(
    `with news as (
       select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
         $7::smallint[], $8::real[], $9::uuid[], $10::uuid[], $11::inet[], $12::text[], $13::text[], $14::text[])
         as n (id, account_id, mode, at, method, route, status, duration_ms, key_id, user_id, ip, user_agent,
           request_id, error_code)
     ), fresh as (
       insert into activity_log (id, account_id, mode, at, method, route, status, duration_ms, key_id, user_id, ip,
         user_agent, request_id, error_code)
       select id, account_id, mode, at, method, route, status, duration_ms, key_id, user_id, ip, user_agent, request_id,
         error_code from news
       on conflict (id) do nothing returning *
     )
     insert into usage_counts as c (account_id, mode, metric, minutes, start, key_id, user_id, status, count)
     select f.account_id, f.mode, 'requests', s.minutes, s.start, f.key_id, f.user_id, f.status::text, count(*)
     from fresh f cross join lateral app.usage_stretches(f.at) s
     group by 1, 2, 4, 5, 6, 7, 8 order by 1, 2, 4, 5, 6, 7, 8
     on conflict (account_id, mode, metric, minutes, start, session_id, key_id, user_id, status)
       do update set count = c.count + excluded.count`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.account_id),
      rows.map((row) => row.mode),
      rows.map((row) => row.at),
      rows.map((row) => row.method),
      rows.map((row) => row.route),
      rows.map((row) => row.status),
      rows.map((row) => row.duration_ms),
      rows.map((row) => row.key_id),
      rows.map((row) => row.user_id),
      rows.map((row) => row.ip),
      rows.map((row) => row.user_agent),
      rows.map((row) => row.request_id),
      rows.map((row) => row.error_code),
    ],
  );
}
